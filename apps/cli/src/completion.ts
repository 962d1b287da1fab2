import type { Command } from 'commander';
import { Trouble } from './trouble.ts';

/** Shells whose completion can be printed. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** A script to be sourced by a shell: commands, and the flags of each. */
export function completionScript(program: Command, shell: string): string {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    about: command.description().split('. ')[0] ?? '',
    flags: [
      ...command.commands.map((below) => below.name()),
      ...[command, ...command.commands].flatMap(({ options }) => options.flatMap(({ long }) => long ?? [])),
    ].filter((flag, index, all) => all.indexOf(flag) === index),
  }));
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
    case 'fish':
      return commands.flatMap(fish).join('\n');
    default:
      throw new Trouble(`expected a shell (${shells.join(', ')}), got ${shell}`);
  }
}

interface Completed {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly string[];
}

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, flags }) => `    ${name}) words="${flags.join(' ')}" ;;`);
  return [
    '_proviso() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" words',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    '  esac',
    `  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(({ name }) => name).join(' ')}"; fi`,
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi',
    '}',
    'complete -F _proviso proviso',
  ].join('\n');
}

function fish({ name, about, flags }: Completed): readonly string[] {
  const quoted = about.replaceAll("'", '');
  return [
    `complete -c proviso -n __fish_use_subcommand -a ${name} -d '${quoted}'`,
    ...flags.map(
      (flag) =>
        `complete -c proviso -n '__fish_seen_subcommand_from ${name}' ${flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-a ${flag}`}`,
    ),
  ];
}
