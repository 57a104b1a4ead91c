/** The functions of a file, with their length and parameters. */
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import { type Source, walk } from './read-sources.ts';

export type FunctionFact = {
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly lineCount: number;
  readonly parameterCount: number;
  /** Stands by its own name; what is written where it is passed is counted in what it stands in. */
  readonly isNamed: boolean;
};

const KINDS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);

const INLINE: ReadonlySet<SyntaxKind> = new Set([SyntaxKind.FunctionExpression, SyntaxKind.ArrowFunction]);
const NAMING: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.VariableDeclaration,
  SyntaxKind.PropertyAssignment,
  SyntaxKind.PropertyDeclaration,
]);

const childrenOf = (node: Node): readonly Node[] => {
  const children: Node[] = [];
  node.forEachChild((child) => {
    children.push(child);
  });
  return children;
};

const nameOf = (node: Node): string => {
  const holder = INLINE.has(node.kind) ? node.parent : node;
  const name = childrenOf(holder).find(({ kind }) => kind === SyntaxKind.Identifier);
  return name?.getText() ?? 'a function';
};

export const functionsOf = (source: Source): readonly FunctionFact[] => {
  const found: FunctionFact[] = [];
  walk(source.root, (node) => {
    if (!KINDS.has(node.kind)) return;
    const start = source.lineAt(node.getStart());
    found.push({
      path: source.path,
      line: start,
      name: nameOf(node),
      lineCount: source.lineAt(node.getEnd()) - start + 1,
      parameterCount: childrenOf(node).filter(({ kind }) => kind === SyntaxKind.Parameter).length,
      isNamed: !INLINE.has(node.kind) || NAMING.has(node.parent.kind),
    });
  });
  return found;
};
