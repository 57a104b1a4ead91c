/** What an application may be: how it may ask for tokens, and what for on behalf of people. */
import type { Scope } from './permission.ts';

/** Grants of OAuth 2.0 by the names of their parameter `grant_type`, the device code's shortened (RFC 8628). */
export const GRANTS = ['client_credentials', 'password', 'device_code', 'authorization_code', 'refresh_token'] as const;
export type Grant = (typeof GRANTS)[number];

/** What an application may use when nothing else was said: secrets and certificates, no people. */
export const DEFAULT_GRANTS: readonly Grant[] = ['client_credentials'];

/** The long name of the device code grant on the wire. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** RFC 7523: an assertion signed by the client's certificate in place of a secret. */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** What a person's token may be for when the application was not limited: the person's roles limit it anyway. */
export const DEFAULT_SCOPES: readonly Scope[] = [
  'Machine.LiveResponse',
  'Machine.Read',
  'Machine.ReadWrite',
  'Library.Manage',
  'User.Read.All',
];

/** What the application of the command line is called where several could be it: for people, with device codes. */
export const COMMAND_LINE_NAME = 'command-line';
/** Of the discovery document: its client id, where there is one; it is no secret. */
export const COMMAND_LINE_CLAIM = 'longarm_command_line_client_id';
