/** The proxy as the service's definition names it. */

/**
 * Its origin: nothing in one needs quoting in any definition. Throws a sentence for what is no proxy, or has a name
 * and password in it: definitions and arguments can be read by everybody on the device.
 */
export const serviceProxy = (given: string | null): string | null => {
  if (given === null) return null;
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error('--proxy: expected an address such as http://proxy.example:3128, got something else');
  if (url.username !== '' || url.password !== '')
    throw new Error(
      'the proxy, by --proxy or the environment: expected an address without a user name or password in it, since everybody on this device can read the definition of a service',
    );
  return url.origin;
};
