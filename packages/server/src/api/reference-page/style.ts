/** The whole look of the reference page; its hash is in the page's Content-Security-Policy. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfaf8; --raised: #ffffff; --sunken: #f3f1ed; --line: #e4e0d8;
  --ink: #1d1c1a; --soft: #6a665e; --accent: #9a3d1c; --code: #23211e; --code-ink: #ece7de;
  --get: #1f6f4a; --post: #9a5a00; --delete: #a1232b;
  --key: #8fc7e8; --text: #b9d89a; --literal: #f0b483;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161513; --raised: #1e1d1a; --sunken: #24221f; --line: #35322d;
    --ink: #ebe7df; --soft: #a39d92; --accent: #f09a6f; --code: #0f0e0d; --code-ink: #e4dfd5;
    --get: #6cc79b; --post: #e7b25a; --delete: #f08a8f;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  display: grid; grid-template-columns: 19rem minmax(0, 1fr);
}
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.86em; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 0.18em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
nav {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 2rem 1.25rem 3rem 1.75rem;
  border-right: 1px solid var(--line); background: var(--raised); font-size: 0.875rem;
}
nav .mark { font-weight: 700; font-size: 1.15rem; letter-spacing: -0.01em; color: var(--ink); text-decoration: none; }
nav .version { color: var(--soft); margin-left: 0.4rem; font-size: 0.8rem; }
nav h2 {
  font-size: 0.7rem; letter-spacing: 0.09em; text-transform: uppercase; color: var(--soft);
  margin: 1.75rem 0 0.4rem; font-weight: 600;
}
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a {
  display: grid; grid-template-columns: 2.9rem 1fr; gap: 0.35rem; align-items: baseline;
  padding: 0.22rem 0.4rem; margin-left: -0.4rem; border-radius: 5px; color: var(--ink); text-decoration: none;
}
nav li a.plain { grid-template-columns: 1fr; }
nav li a:hover { background: var(--sunken); }
main { padding: 3.5rem clamp(1.25rem, 4vw, 4rem) 6rem; max-width: 84rem; }
header h1 { font-size: 2.3rem; line-height: 1.15; letter-spacing: -0.025em; margin: 0 0 0.75rem; }
header p { max-width: 44rem; }
h2.group span { display: block; font-size: 0.95rem; font-weight: 400; letter-spacing: 0; color: var(--soft); margin-top: 0.15rem; }
header p code { background: var(--sunken); padding: 0.15em 0.45em; border-radius: 4px; }
h2.group {
  font-size: 1.5rem; letter-spacing: -0.015em; margin: 4rem 0 0; padding-bottom: 0.6rem;
  border-bottom: 1px solid var(--line);
}
.operation, .schema { padding: 2.25rem 0 0.75rem; }
.operation + .operation { border-top: 1px solid var(--line); margin-top: 2rem; }
h3 { font-size: 1.15rem; margin: 0 0 0.5rem; letter-spacing: -0.005em; }
h3 a { color: inherit; text-decoration: none; }
h3 a:hover { text-decoration: underline; }
h4 {
  font-size: 0.75rem; letter-spacing: 0.07em; text-transform: uppercase; color: var(--soft);
  margin: 1.75rem 0 0.35rem; font-weight: 600;
}
h4 .media { text-transform: none; letter-spacing: 0; font-weight: 400; font-size: 0.8rem; }
h5 { font-size: 0.75rem; color: var(--soft); margin: 1.1rem 0 0.35rem; font-weight: 600; }
.columns > .examples > h5:first-child { margin-top: 0.2rem; }
p.call { margin: 0 0 0.9rem; display: flex; gap: 0.6rem; align-items: baseline; flex-wrap: wrap; }
.path { font-size: 0.92rem; overflow-wrap: anywhere; }
.path em { font-style: normal; color: var(--accent); }
.method { font: 700 0.68rem/1.5 ui-monospace, Menlo, Consolas, monospace; letter-spacing: 0.04em; }
.method.get { color: var(--get); }
.method.post { color: var(--post); }
.method.delete { color: var(--delete); }
p.call .method { border: 1px solid currentColor; border-radius: 4px; padding: 0.05rem 0.4rem; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 30rem); gap: 2.75rem; align-items: start; }
.examples { position: sticky; top: 1.5rem; }
pre {
  margin: 0; padding: 0.9rem 1.05rem; border-radius: 8px; background: var(--code); color: var(--code-ink);
  overflow: auto; max-height: 27rem; line-height: 1.5; font-size: 0.8rem;
}
pre code { font-size: inherit; }
pre i { font-style: normal; }
.key { color: var(--key); } pre .text { color: var(--text); } .literal { color: var(--literal); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1.1rem; margin: 0; font-size: 0.9rem; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; }
dd code, td code:not(.name), li code { background: var(--sunken); padding: 0.1em 0.35em; border-radius: 4px; white-space: nowrap; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
td { padding: 0.5rem 0.75rem 0.5rem 0; vertical-align: top; border-top: 1px solid var(--line); line-height: 1.6; }
tr:first-child > td { border-top: 0; }
td:first-child { width: 12rem; overflow-wrap: anywhere; }
tr.inner > td { border-top: 0; padding: 0 0 0.6rem; width: auto; }
tr.inner table { margin-left: 0.1rem; border-left: 2px solid var(--line); width: calc(100% - 0.1rem); }
tr.inner table td { padding-left: 0.9rem; }
tr.inner table td:first-child { width: 11rem; }
.name { font-weight: 600; }
.optional, .place, .media { color: var(--soft); font-size: 0.8rem; }
.note { color: var(--soft); font-size: 0.86rem; margin: 0.1rem 0; overflow-wrap: anywhere; }
.type { margin: 0.3rem 0; font-size: 0.95rem; }
details { margin-top: 1.5rem; }
summary {
  cursor: pointer; color: var(--soft); font-size: 0.75rem; letter-spacing: 0.07em; text-transform: uppercase;
  font-weight: 600; width: max-content;
}
summary:hover { color: var(--ink); }
table.errors { margin-top: 0.4rem; }
table.errors td:first-child { width: 3.5rem; }
table.errors ul { margin: 0; padding: 0; list-style: none; }
.status { font: 600 0.86rem/1.6 ui-monospace, Menlo, Consolas, monospace; }
@media (max-width: 70rem) { .columns { grid-template-columns: minmax(0, 1fr); gap: 1.25rem; } .examples { position: static; } }
@media (max-width: 52rem) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); padding: 1.25rem; }
  main { padding-top: 2rem; }
  td:first-child { width: 9rem; }
}
@media print { nav { display: none; } body { display: block; } pre { max-height: none; white-space: pre-wrap; } }
`;
