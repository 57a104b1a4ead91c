/** How requests leave: `fetch` of the runtime, or whatever stands in for it; always given, never reached for. */
export type Transport = (url: string, init: BunFetchRequestInit) => Promise<Response>;

/** What `fetch` of the runtime gets so that it trusts this CA beside nothing else; none: the system's own. */
export const trust = (caPem: string | null): BunFetchRequestInit => (caPem === null ? {} : { tls: { ca: caPem } });
