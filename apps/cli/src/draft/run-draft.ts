import type { ProcessStart } from './start-words.ts';

/** How it is built, as far as the code says so. */
export interface BuildDraft {
  readonly install: 'auto' | 'none';
  readonly command?: readonly string[];
  readonly output?: string;
}

/** What runs and how it comes about, as far as the code says so. */
export interface RunDraft {
  readonly run:
    | { readonly kind: 'static'; readonly root?: string; readonly fallback: boolean }
    | (ProcessStart & { readonly memoryMbMax: number });
  readonly build: BuildDraft | null;
  /** What it was taken from, for the comment beside it. */
  readonly from: string;
  /** What a person has to look at, since the code does not say it. */
  readonly doubts: readonly string[];
}
