/** Reads the whole repository's TypeScript through the compiler's own parser, so that no law rests on a pattern. */
import { relative, resolve } from 'node:path';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/async';

/** Repository root, absolute. */
export const ROOT = resolve(import.meta.dir, '../..');

/** One TypeScript file; `path` is from the repository root, with slashes. */
export type Source = {
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
  readonly root: Node;
  /** Line of a character position, from 1. */
  readonly lineAt: (position: number) => number;
};

export const isTest = ({ path }: Source): boolean =>
  /\.test\.tsx?$/.test(path) || /^packages\/[^/]+\/test\//.test(path);

/** What is shipped or runs the repository: the counted bars are held against these. */
export const isCounted = (source: Source): boolean =>
  /^(?:packages\/[^/]+\/src|scripts)\//.test(source.path) && !isTest(source);

/** Every file of the project that the folder's tsconfig.json describes. */
export const readSources = async (folder: string): Promise<readonly Source[]> => {
  const api = new API({ cwd: folder });
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [resolve(folder, 'tsconfig.json')] });
    const project = snapshot.getProjects()[0];
    if (project === undefined) throw new Error('the compiler opened no project for tsconfig.json');
    const sources: Source[] = [];
    for (const name of project.rootFiles) {
      const file = await project.program.getSourceFile(name);
      // a file that another process has removed meanwhile
      if (file === undefined) continue;
      sources.push({
        path: relative(folder, name),
        text: file.text,
        lineCount: file.text.trimEnd().split('\n').length,
        root: file,
        lineAt: (position) => file.getLineAndCharacterOfPosition(position).line + 1,
      });
    }
    return sources;
  } finally {
    await api.close();
  }
};

/** Calls `visit` for every node of the file. */
export const walk = (node: Node, visit: (node: Node) => void): void => {
  visit(node);
  // parts of JSDoc are no code
  if (node.kind !== SyntaxKind.JSDoc) node.forEachChild((child) => walk(child, visit));
};
