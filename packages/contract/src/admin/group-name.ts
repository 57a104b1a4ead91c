import { z } from 'zod';

/** Name of a device group: unique in its tenant, in any case. */
export const GroupName = z.string().trim().min(1).max(200);
