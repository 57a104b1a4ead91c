/** What no source of ours holds: each find is a sentence with file, line and what to do. */
import { basename } from 'node:path';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import {
  isExportDeclaration,
  isIdentifier,
  isNewExpression,
  isPropertyAccessExpression,
  isSourceFile,
} from 'typescript/unstable/ast/is';
import { WORLDLY } from './law.ts';
import { type Source, walk } from './read-sources.ts';

/** Access to the world, as `object.member`; a member of `*` is any. */
const WORLD = ['process.env', 'Date.now', 'console.*', 'Math.random'] as const;

const worldAccess = (node: Node): string | null => {
  if (isNewExpression(node) && isIdentifier(node.expression) && node.expression.text === 'Date') {
    return (node.arguments?.length ?? 0) === 0 ? 'new Date()' : null;
  }
  if (!isPropertyAccessExpression(node) || !isIdentifier(node.expression)) return null;
  const { text: object } = node.expression;
  return WORLD.find((name) => name === `${object}.${node.name.text}` || name === `${object}.*`) ?? null;
};

const isWorldly = ({ path }: Source): boolean => WORLDLY.some((pattern) => pattern.test(path));

const nodeFault = (node: Node, worldly: boolean): string | null => {
  if (node.kind === SyntaxKind.AnyKeyword) return 'any: say the type, or unknown and parse it';
  if (node.kind === SyntaxKind.EnumDeclaration) return 'enum: use an `as const` tuple';
  const access = worldly ? null : worldAccess(node);
  return access === null
    ? null
    : `${access}: take it as a parameter; only main.ts, start.ts, config.ts, wiring and scripts meet the world`;
};

const COMMENTS: readonly (readonly [RegExp, string])[] = [
  [/@ts-(?:ignore|nocheck|expect-error)/, 'the compiler is told to look away: make the types right'],
  [/\b(?:TODO|FIXME|XXX)\b/, 'unfinished: finish it, or write it down as an issue'],
];

const textFaults = ({ path, text }: Source): readonly string[] =>
  text
    .split('\n')
    .flatMap((line, index) =>
      COMMENTS.filter(([pattern]) => pattern.test(line)).map(([, fault]) => `${path}:${index + 1}: ${fault}`),
    );

const VAGUE = /^(?:utils?|helpers?|common|managers?|misc|shared)$/;
const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*\.tsx?$/;

/** Faults of the file's name and place. */
const nameFaults = ({ path }: Source): readonly string[] => {
  const parts = path
    .replace(/\.tsx?$/, '')
    .split('/')
    .flatMap((part) => part.split(/[.-]/));
  const vague = parts.find((part) => VAGUE.test(part));
  return [
    ...(vague === undefined ? [] : [`${path}: ${vague}: name the file after what it holds`]),
    ...(KEBAB.test(basename(path)) ? [] : [`${path}: file names are in kebab-case`]),
  ];
};

/** A file that only passes on what others export hides where things are. */
const isHub = ({ root }: Source): boolean =>
  isSourceFile(root) &&
  root.statements.length > 0 &&
  root.statements.every((statement) => isExportDeclaration(statement) && statement.moduleSpecifier !== undefined);

export const forbiddenIn = (source: Source): readonly string[] => {
  const found = [...textFaults(source), ...nameFaults(source)];
  if (isHub(source)) found.push(`${source.path}: a hub: import from where things are`);
  const worldly = isWorldly(source);
  walk(source.root, (node) => {
    const fault = nodeFault(node, worldly);
    if (fault !== null) found.push(`${source.path}:${source.lineAt(node.getStart())}: ${fault}`);
  });
  return found;
};
