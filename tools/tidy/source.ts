import ts from 'typescript';

/** One place that breaks one rule. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** A source file, parsed once for all rules. */
export interface Source {
  /** Relative to the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly tree: ts.SourceFile;
  readonly isTest: boolean;
}

/** A rule looks at one file and says what is wrong; it has no memory and knows no other file. */
export type SourceRule = (source: Source) => Finding[];

/** Reads a file's text into the form that rules take. */
export function parseSource(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const isTest = /\.(test|contract)\.tsx?$/.test(path);
  return { path, text, lines: text.split('\n'), tree, isTest };
}

/** The line of a position, counted from one as editors do. */
export function lineAt({ tree }: Source, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

/** Visits every node of the file, parents first. */
export function visit(source: Source, look: (node: ts.Node) => void): void {
  const step = (node: ts.Node) => {
    look(node);
    ts.forEachChild(node, step);
  };
  step(source.tree);
}

/** A comment's text with the position it starts at. */
export interface Comment {
  readonly text: string;
  readonly position: number;
}

/**
 * All comments of a file. They are found in the gaps before tokens, which is where TypeScript keeps them; a scanner
 * alone would take a slash in a template or a regular expression for one.
 */
export function comments({ tree, text }: Source): Comment[] {
  const found = new Map<number, Comment>();
  const note = (ranges: readonly ts.CommentRange[] | undefined) => {
    for (const { pos, end } of ranges ?? []) found.set(pos, { position: pos, text: text.slice(pos, end) });
  };
  const step = (node: ts.Node) => {
    const children = node.getChildren(tree);
    if (children.length === 0) {
      note(ts.getLeadingCommentRanges(text, node.getFullStart()));
      note(ts.getTrailingCommentRanges(text, node.getEnd()));
    }
    for (const child of children) if (child.kind !== ts.SyntaxKind.JSDoc) step(child);
  };
  step(tree);
  return [...found.values()];
}
