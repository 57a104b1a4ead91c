/** Where a person may be sent back to: what was registered, to the letter; on loopback with any port (RFC 8252 7.3). */

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

const isSameLoopback = (registered: string, asked: string): boolean => {
  const [one, other] = [URL.parse(registered), URL.parse(asked)];
  if (one === null || other === null || one.protocol !== 'http:' || !LOOPBACK.includes(one.hostname)) return false;
  const isSame = one.hostname === other.hostname && one.pathname === other.pathname && one.search === other.search;
  return isSame && other.protocol === 'http:' && other.username === '' && other.password === '' && other.hash === '';
};

export const isRegistered = (registered: readonly string[], asked: string): boolean =>
  registered.some((uri) => uri === asked || isSameLoopback(uri, asked));

/** What a policy of a page names so that its form may lead there. */
export const originOf = (uri: string): string => {
  const { protocol, origin } = new URL(uri);
  return origin === 'null' ? protocol : origin;
};
