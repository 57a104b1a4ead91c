/**
 * `Content-Disposition` (RFC 6266) as the original's clients read it: they take `filename=` to the end of the
 * header, strip quotes and a last `.gz`, and URL-decode; so it comes last, percent-encoded, and alone.
 */
import { downloadName } from './download-name.ts';

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** Keeps letters, digits and `- . _ ~`; all else is percent-encoded UTF-8. Pure ASCII, whatever the name. */
export const attachmentHeader = (name: string): string =>
  `attachment; filename=${encodeURIComponent(downloadName(name)).replace(/[!'()*]/g, percent)}`;
