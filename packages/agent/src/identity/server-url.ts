/** The address of a server, as a person gives it. */

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/**
 * The address without a slash at its end. Throws a sentence: only `https:`, or `http:` to this very device unless
 * `insecure`, since anybody on the way could read and change what goes over the other.
 */
export const parseServerUrl = (text: string, insecure: boolean): string => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.search !== '' || url.hash !== '')
    throw new Error(`expected the server's address, such as https://longarm.example:8443, got ${JSON.stringify(text)}`);
  if (url.username !== '' || url.password !== '')
    throw new Error("expected the server's address without a user name or password in it");
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !insecure)
    throw new Error(
      `expected https: for a server that is not this device, got ${url.origin}. Give --insecure if you accept that anybody on the way can read and change what is sent.`,
    );
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
};
