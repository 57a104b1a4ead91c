/** Who imports whom: `import`, `import type`, `export … from`, `import()` and `import('…')` types alike. */
import { dirname, join } from 'node:path';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import {
  isCallExpression,
  isExportDeclaration,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isStringLiteral,
} from 'typescript/unstable/ast/is';
import { type Source, walk } from './read-sources.ts';

export type Import = {
  readonly from: string;
  readonly line: number;
  readonly specifier: string;
  /** Path from the repository root, or null for what is not ours. */
  readonly to: string | null;
};

const specifierOf = (node: Node): Node | undefined => {
  if (isImportDeclaration(node) || isExportDeclaration(node)) return node.moduleSpecifier;
  if (isImportTypeNode(node)) return isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  const isDynamic = isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword;
  return isDynamic ? node.arguments[0] : undefined;
};

/** `@longarm/contract/ids` is `packages/contract/src/ids.ts`: every package exports its sources by subpath. */
const resolveImport = (from: string, specifier: string): string | null => {
  if (specifier.startsWith('.')) return join(dirname(from), specifier);
  const [, folder, rest] = /^@longarm\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
  return folder === undefined ? null : `packages/${folder}/src/${rest}.ts`;
};

export const importsOf = (source: Source): readonly Import[] => {
  const found: Import[] = [];
  walk(source.root, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined || !isStringLiteral(specifier)) return;
    found.push({
      from: source.path,
      line: source.lineAt(specifier.getStart()),
      specifier: specifier.text,
      to: resolveImport(source.path, specifier.text),
    });
  });
  return found;
};
