/** The one script that pages here may run, and the one address that it is served at. */
import { createHash } from 'node:crypto';
import script from './security-key.js' with { type: 'text' };

export const KEY_SCRIPT_PATH = '/sign-in/security-key.js';

/** Subresource Integrity: the page names the very text. */
export const KEY_SCRIPT_INTEGRITY = `sha256-${createHash('sha256').update(script, 'utf8').digest('base64')}`;

export const keyScript = (): Response =>
  new Response(script, { headers: { 'Content-Type': 'text/javascript; charset=utf-8', 'Cache-Control': 'no-cache' } });
