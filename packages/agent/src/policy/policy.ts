/** What a device's owner allows there: it can only narrow what the server asks for, and no server can change it. */
import { COMMAND_TYPES, type CommandType } from '@longarm/contract/commands/types';
import { type AuthorKey, readAuthorKeyLine } from '@longarm/contract/signing/author-key-line';
import { LocalName } from '@longarm/contract/signing/author-signature';
import { z } from 'zod';
import { type Glob, glob, type PathForm, pathPatternFault } from './glob.ts';
import { QuietHours } from './quiet-hours.ts';

/** Whose library files are used: anybody's, those that a listed author signed, or nobody's. */
const Trust = z.enum(['any', 'signed', 'off']);
export type Trust = z.infer<typeof Trust>;

const Bytes = z.int().min(0);
const Pattern = z.string().min(1).max(1_024);
const Names = z.array(LocalName).max(64);

/** The file's content; an unknown key is a fault, since a rule that is misspelt protects nobody. */
const PolicyText = z.strictObject({
  version: z.literal(1),
  commands: z.array(z.enum(COMMAND_TYPES)).optional(),
  authors: z.array(z.string()).max(64).optional(),
  tags: Names.optional(),
  groups: Names.optional(),
  scripts: Trust.optional(),
  putFile: z.strictObject({ files: Trust.optional(), names: z.array(Pattern).max(256).optional() }).optional(),
  getFile: z
    .strictObject({
      allow: z.array(Pattern).max(256).optional(),
      deny: z.array(Pattern).max(256).optional(),
      maxFileBytes: Bytes.optional(),
      maxActionBytes: Bytes.optional(),
    })
    .optional(),
  quietHours: z.array(QuietHours).max(64).optional(),
});
type PolicyText = z.infer<typeof PolicyText>;

export type Policy = {
  readonly commands: readonly CommandType[];
  readonly authors: readonly AuthorKey[];
  /** What this device calls itself, for signatures; the server's tags do not count. */
  readonly tags: readonly string[];
  readonly groups: readonly string[];
  readonly scripts: Trust;
  readonly putFiles: Trust;
  /** Null: any name. */
  readonly putNames: readonly Glob[] | null;
  /** Null: any path that is not denied. */
  readonly getAllow: readonly Glob[] | null;
  readonly getDeny: readonly Glob[];
  readonly maxFileBytes: number;
  readonly maxActionBytes: number;
  readonly quietHours: readonly QuietHours[];
};

export type PolicyTerms = {
  readonly form: PathForm;
  /** `--require-signatures`: scripts are signed or do not run, whatever the file says. */
  readonly requireSignatures: boolean;
};

/** A policy that cannot be read: nothing is allowed until it can. The sentence names the place in it. */
export class PolicyFault extends Error {
  override readonly name = 'PolicyFault';
}

/** Where there is no policy. */
export const NO_POLICY: Policy = {
  commands: COMMAND_TYPES,
  authors: [],
  tags: [],
  groups: [],
  scripts: 'any',
  putFiles: 'any',
  putNames: null,
  getAllow: null,
  getDeny: [],
  maxFileBytes: Number.POSITIVE_INFINITY,
  maxActionBytes: Number.POSITIVE_INFINITY,
  quietHours: [],
};

/** Where authors are asked for, what no author can vouch for has to be listed, and so has what comes in later versions. */
const SIGNED_COMMANDS: readonly CommandType[] = ['PutFile', 'RunScript'];

const readAuthors = (lines: readonly string[]): readonly AuthorKey[] =>
  lines.map((line, at) => {
    const author = readAuthorKeyLine(line);
    if (author === null)
      throw new PolicyFault(`authors.${at}: expected a line that "longarm author-key create" printed, got another`);
    return author;
  });

const paths = (patterns: readonly string[], where: string, form: PathForm): readonly Glob[] =>
  patterns.map((pattern, at) => {
    const fault = pathPatternFault(pattern, form);
    if (fault !== null) throw new PolicyFault(`${where}.${at}: ${fault}`);
    return glob(pattern, form);
  });

const narrowed = (text: PolicyText, { form, requireSignatures }: PolicyTerms): Policy => {
  const isSigned = requireSignatures || text.authors !== undefined;
  const byDefault: Trust = isSigned ? 'signed' : 'any';
  const { getFile = {}, putFile = {}, scripts = byDefault } = text;
  return {
    commands: text.commands ?? (isSigned ? SIGNED_COMMANDS : COMMAND_TYPES),
    authors: readAuthors(text.authors ?? []),
    tags: text.tags ?? [],
    groups: text.groups ?? [],
    scripts: requireSignatures && scripts === 'any' ? 'signed' : scripts,
    putFiles: putFile.files ?? byDefault,
    putNames: putFile.names?.map((pattern) => glob(pattern, form)) ?? null,
    getAllow: getFile.allow === undefined ? null : paths(getFile.allow, 'getFile.allow', form),
    getDeny: paths(getFile.deny ?? [], 'getFile.deny', form),
    maxFileBytes: getFile.maxFileBytes ?? Number.POSITIVE_INFINITY,
    maxActionBytes: getFile.maxActionBytes ?? Number.POSITIVE_INFINITY,
    quietHours: text.quietHours ?? [],
  };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new PolicyFault('expected JSON, got something else');
  }
};

/** Reads a policy's text. Throws PolicyFault. */
export const readPolicyText = (text: string, terms: PolicyTerms): Policy => {
  const parsed = PolicyText.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new PolicyFault(`${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'not understood'}`);
  }
  const policy = narrowed(parsed.data, terms);
  if (policy.authors.length === 0 && (policy.scripts === 'signed' || policy.putFiles === 'signed'))
    throw new PolicyFault('authors: signatures are required, and no author is listed: nothing could ever run');
  return policy;
};
