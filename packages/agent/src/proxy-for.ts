/**
 * The proxy by which an address is reached: what was given to the agent, else HTTPS_PROXY or HTTP_PROXY by the
 * address's scheme, unless NO_PROXY names its host. Upper or lower case, as other programs read them.
 */
export type ProxySettings = {
  /** Stands above the environment and NO_PROXY. */
  readonly given: string | null;
  readonly https: string | null;
  readonly http: string | null;
  /** Hosts that are reached directly: names with or without a leading dot, `host:port`, or `*`. */
  readonly except: readonly string[];
};

type Environment = Readonly<Record<string, string | undefined>>;

const variableOf = (environment: Environment, name: string): string | null =>
  environment[name] || environment[name.toLowerCase()] || null;

export const proxySettings = (given: string | null, environment: Environment): ProxySettings => ({
  given,
  https: variableOf(environment, 'HTTPS_PROXY'),
  http: variableOf(environment, 'HTTP_PROXY'),
  except: (variableOf(environment, 'NO_PROXY') ?? '')
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== ''),
});

const isExcepted = (url: URL, entry: string): boolean => {
  if (entry === '*' || entry === url.host || entry === url.hostname) return true;
  return url.hostname.endsWith(entry.startsWith('.') ? entry : `.${entry}`);
};

/** The proxy's URL, or null to connect directly. `address` is of scheme `http:`, `https:`, `ws:` or `wss:`. */
export const proxyFor = (settings: ProxySettings, address: string): string | null => {
  if (settings.given !== null) return settings.given;
  const url = new URL(address);
  if (settings.except.some((entry) => isExcepted(url, entry))) return null;
  return url.protocol === 'https:' || url.protocol === 'wss:' ? settings.https : settings.http;
};
