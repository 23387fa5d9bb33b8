import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Port of each service, in containers and by default. */
export const servicePorts = { session: 7001, 'agent-runtime': 7002, 'tool-host': 7003, filesystem: 7004 } as const;
export type ServiceName = keyof typeof servicePorts;
export const services = Object.keys(servicePorts) as readonly ServiceName[];
export const dockerfileOf = (service: ServiceName) => `deploy/docker/${service}.Dockerfile`;

export type Variables = Readonly<Record<string, string>>;

/** What this project uses of a service of a compose file. */
export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Variables;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
}

export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The compose file with its variables replaced, as `docker compose config` tells it. Throws where a required one is missing. */
export function readCompose(variables: Variables): ComposeFile {
  const file: unknown = parse(readText('deploy/compose/compose.yaml'), { merge: true });
  return substituted(file, variables) as ComposeFile;
}

/** Names of the variables that the compose file takes from outside. */
export function composeVariables(): readonly string[] {
  return [...new Set(readText('deploy/compose/compose.yaml').match(/(?<=\$\{)\w+/g))].sort();
}

function substituted(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, text = '') => {
      const given = variables[name] ?? '';
      if (given === '' && kind !== '-') {
        throw new RangeError(`${name} is not set: ${text}`);
      }
      return given === '' ? text : given;
    });
  }
  if (Array.isArray(value)) {
    return value.map((each) => substituted(each, variables));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, substituted(each, variables)]));
  }
  return value;
}

/** The assignments of a file in the form of `.env`. */
export function readEnvFile(path: string): Variables {
  return Object.fromEntries(
    [...readText(path).matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** An instruction of a Dockerfile: `['COPY', 'a b']`. */
export type Instruction = readonly [name: string, rest: string];

/** The stages of a Dockerfile: the instructions from each FROM on. */
export function readStages(path: string): readonly (readonly Instruction[])[] {
  const stages: Instruction[][] = [];
  for (const line of readText(path).split('\n')) {
    const [, name, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (name === 'FROM') {
      stages.push([]);
    }
    if (name !== undefined && rest !== undefined) {
      stages.at(-1)?.push([name, rest]);
    }
  }
  return stages;
}

/** What an instruction of a stage says; the last one counts. */
export function lastOf(stage: readonly Instruction[], name: string): string | undefined {
  return stage.findLast(([each]) => each === name)?.[1];
}

/** The environment that a stage sets. */
export function environmentOf(stage: readonly Instruction[]): Variables {
  const assignments = stage.filter(([name]) => name === 'ENV').flatMap(([, rest]) => rest.split(' '));
  return Object.fromEntries(assignments.map((each) => each.split('=') as [string, string]));
}

/** A COPY: paths of the build context, or of another stage. */
export interface Copy {
  readonly isOfContext: boolean;
  readonly sources: readonly string[];
  readonly target: string;
}

export function copiesOf(stage: readonly Instruction[]): readonly Copy[] {
  return stage
    .filter(([name]) => name === 'COPY')
    .map(([, rest]) => {
      const paths = rest.split(' ').filter((part) => !part.startsWith('--'));
      return { isOfContext: !rest.includes('--from='), sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
    });
}

/** Whether a file is part of the build context: the last pattern of .dockerignore that matches it, or a folder of it, decides. */
export function isSent(path: string): boolean {
  const parts = path.split('/');
  const selfAndFolders = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  // In .dockerignore, unlike in globs elsewhere, `*` matches a leading dot.
  const undotted = (text: string) => text.replace(/(^|\/)\./g, '$1dot-');
  const patterns = readText('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = patterns.findLast((pattern) => {
    const glob = undotted(pattern.replace(/^!/, ''));
    return selfAndFolders.some((each) => matchesGlob(undotted(each), glob));
  });
  return last === undefined || last.startsWith('!');
}
