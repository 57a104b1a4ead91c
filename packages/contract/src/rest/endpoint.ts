/** The form in which every endpoint is described once: the server's routes, the client and OpenAPI read it. */
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { Permission } from '../permission.ts';

export const RATE_CLASSES = ['run', 'read', 'none'] as const;
/** `run`: runs-per-minute. `read`: reads-per-minute and reads-per-hour. `none`: not counted. */
export type RateClass = (typeof RATE_CLASSES)[number];

/**
 * What a call is about, and so whose reach decides: one machine or action of the caller's device groups, or all of
 * them; the library, which the whole tenant shares; or nothing that anyone owns.
 */
export const SUBJECTS = ['machine', 'machines', 'action', 'actions', 'library', 'nothing'] as const;
export type Subject = (typeof SUBJECTS)[number];

type QueryOption = { readonly name: string; readonly required: boolean; readonly description: string };

export type Endpoint = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /**
   * Below the server's address, in the documented case; `{name}` stands for one path part, or for what stands
   * between the literal characters around it. Static parts match in any case, and `/api/v1.0` stands for `/api`.
   */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: 'Live response' | 'Machine actions' | 'Library' | 'Machines' | 'Neighbours';
  readonly permission: Permission;
  readonly subject: Subject;
  readonly rate: RateClass;
  readonly query?: readonly QueryOption[];
  readonly headers?: readonly QueryOption[];
  readonly request?:
    | { readonly type: 'json'; readonly schema: z.ZodType }
    | { readonly type: 'form'; readonly parts: readonly QueryOption[] };
  readonly response: { readonly status: number; readonly description: string } & (
    | { readonly type: 'json'; readonly schema: z.ZodType }
    | { readonly type: 'empty' }
    | { readonly type: 'file' }
    | { readonly type: 'events' }
  );
  /** Codes of its own; Unauthorized, Forbidden, TooManyRequests and InternalServerError go without saying. */
  readonly errors: readonly ErrorCode[];
};
