/** Links to results: absolute, self-authenticating, for one result, valid for minutes (wire contract 1.6). */
import { ActionId, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { ResultAddress } from '../actions/ports.ts';
import { isSealOf, sealOf } from './sealed-text.ts';

const PURPOSE = 'result-link-v1';
const PATH = /^\/results\/([^/]+)\/([^/]+)\/([0-9]{1,5})$/;

type LinkIo = {
  readonly key: Uint8Array;
  readonly now: () => EpochMs;
  readonly validMs: number;
};

export type ResultLinks = {
  /** `base` is the server's public address, without a slash at its end. */
  readonly sign: (address: ResultAddress, base: string) => string;
  /** Null when it is no link to a result; `expired` and `forged` say why one is refused. */
  readonly read: (url: URL) => ResultAddress | 'expired' | 'forged' | null;
};

const textOf = (address: ResultAddress, expires: string): string =>
  [address.tenantId, address.actionId, address.index, expires].join('\n');

const addressOf = (url: URL): ResultAddress | null => {
  const [, tenant = '', action = '', index = ''] = PATH.exec(url.pathname) ?? [];
  const tenantId = TenantId.safeParse(tenant).data;
  const actionId = ActionId.safeParse(action).data;
  return tenantId === undefined || actionId === undefined ? null : { tenantId, actionId, index: Number(index) };
};

export const resultLinks = (io: LinkIo): ResultLinks => ({
  sign: (address, base) => {
    const expires = String(Math.ceil((io.now() + io.validMs) / 1_000));
    const seal = sealOf(io.key, PURPOSE, textOf(address, expires));
    return `${base}/results/${address.tenantId}/${address.actionId}/${address.index}?se=${expires}&sig=${seal}`;
  },
  read: (url) => {
    if (!PATH.test(url.pathname)) return null;
    const address = addressOf(url);
    const expires = url.searchParams.get('se') ?? '';
    if (
      address === null ||
      !isSealOf(url.searchParams.get('sig') ?? '', io.key, { purpose: PURPOSE, text: textOf(address, expires) })
    )
      return 'forged';
    return Number(expires) * 1_000 <= io.now() ? 'expired' : address;
  },
});
