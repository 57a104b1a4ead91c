/**
 * The public keys of other issuers: found by their discovery document (OpenID Connect Discovery 1.0, 4), kept, asked for
 * again after an hour or when a token names one that is not among them. While an issuer cannot be reached, the keys that
 * it had work on.
 */
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { z } from 'zod';
import type { IssuerRecord } from '../issuer-ports.ts';

const FRESH_MS = 3_600_000;
/** Strangers name keys, too: an issuer is not asked more often than this. */
const PAUSE_MS = 30_000;

export type IssuerKeysIo = {
  /** JSON of an address. Throws when it cannot be had. */
  readonly fetchJson: (url: string) => Promise<unknown>;
  readonly now: () => number;
  readonly onFault: (issuer: string, fault: unknown) => void;
};

export type KeySet = ReturnType<typeof createLocalJWKSet>;

export type IssuerKeys = {
  /** Null while none were ever had. `keyId`: what the token names. */
  readonly of: (issuer: IssuerRecord, keyId: string | undefined) => Promise<KeySet | null>;
};

type Held = { readonly keys: JSONWebKeySet; readonly set: KeySet; readonly fetchedAt: number };

const Document = z.object({ issuer: z.string(), jwks_uri: z.url() });
const Jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(200) });

const documentUrl = ({ url, discoveryUrl }: IssuerRecord): string =>
  discoveryUrl ?? `${url.replace(/\/$/, '')}/.well-known/openid-configuration`;

/** Keys come over TLS, or from this very machine. */
const requireTrusted = (text: string): string => {
  const url = new URL(text);
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) return text;
  throw new Error(`Expected an https address, got ${text}.`);
};

const fetchKeys = async (io: IssuerKeysIo, issuer: IssuerRecord): Promise<JSONWebKeySet> => {
  const document = Document.parse(await io.fetchJson(requireTrusted(documentUrl(issuer))));
  if (document.issuer !== issuer.url)
    throw new Error(`Expected the document of ${issuer.url}, got that of ${document.issuer}.`);
  return Jwks.parse(await io.fetchJson(requireTrusted(document.jwks_uri)));
};

export const issuerKeys = (io: IssuerKeysIo): IssuerKeys => {
  const held = new Map<string, Held>();
  const asked = new Map<string, number>();
  const running = new Map<string, Promise<void>>();
  const refresh = async (issuer: IssuerRecord): Promise<void> => {
    asked.set(issuer.id, io.now());
    try {
      const keys = await fetchKeys(io, issuer);
      held.set(issuer.id, { keys, set: createLocalJWKSet(keys), fetchedAt: io.now() });
    } catch (fault) {
      io.onFault(issuer.url, fault);
    }
  };
  const isWanting = (issuer: IssuerRecord, keyId: string | undefined): boolean => {
    const known = held.get(issuer.id);
    if (known === undefined || known.fetchedAt <= io.now() - FRESH_MS) return true;
    return keyId !== undefined && !known.keys.keys.some(({ kid }) => kid === keyId);
  };
  return {
    of: async (issuer, keyId) => {
      const mayAsk = (asked.get(issuer.id) ?? Number.NEGATIVE_INFINITY) <= io.now() - PAUSE_MS;
      if (isWanting(issuer, keyId) && mayAsk && !running.has(issuer.id))
        running.set(
          issuer.id,
          refresh(issuer).finally(() => running.delete(issuer.id)),
        );
      if (isWanting(issuer, keyId)) await running.get(issuer.id);
      return held.get(issuer.id)?.set ?? null;
    },
  };
};
