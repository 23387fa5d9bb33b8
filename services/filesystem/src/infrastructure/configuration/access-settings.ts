import { brandId, DomainError, type SessionId } from '@spanwise/kernel';
import { z } from 'zod';
import type { Access } from '../../domain/access/access.ts';
import { AccessRules, type GrantRule } from '../../domain/access/grants.ts';
import { operations } from '../../domain/access/operation.ts';
import { PathPattern } from '../../domain/access/path-pattern.ts';
import { spellingsOf } from '../../domain/access/path-spellings.ts';
import { type ProtectedName, ProtectedNames } from '../../domain/access/protected-names.ts';
import { UidPattern } from '../../domain/access/uid-pattern.ts';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import type { MountTemplate } from '../../domain/view/mount-template.ts';
import { compileRe2Glob } from '../matching/re2-glob.ts';
import type { YamlPath, YamlSource } from './yaml-source.ts';

const accessSchema = z.strictObject({
  grants: z.array(z.unknown()).default([]),
  protected: z.array(z.unknown()).default([]),
});

/** A list that is there and empty would mean nobody, or nothing: nobody writes that on purpose. */
const some = <Value extends z.ZodType>(value: Value) => z.array(value).min(1);

const grantSchema = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  who: z
    .strictObject({
      users: some(z.string().min(1)).optional(),
      sessions: some(z.string().min(1)).optional(),
      services: some(z.string().regex(/^[a-z0-9-]{1,64}$/)).optional(),
    })
    .refine((who) => Object.values(who).some((each) => each !== undefined), 'names no users, sessions or services')
    .optional(),
  operations: some(z.enum(operations)),
  paths: some(z.string()),
});

const protectedSchema = z.strictObject({ mount: z.string(), names: some(z.string()) });

type Mounts = readonly Pick<MountTemplate, 'path'>[];

/** Reads the key `access` of a configuration with these mounts. Throws with the line of what can not be used. */
export function readAccess(source: YamlSource, mounts: Mounts): Access {
  const at: YamlPath = ['access'];
  const { grants, protected: names } = source.read(at, accessSchema);
  return {
    grants: new AccessRules(grants.map((_, index) => readGrant(source, [...at, 'grants', index], mounts))),
    protectedNames: new ProtectedNames(
      names.flatMap((_, index) => readProtected(source, [...at, 'protected', index], mounts)),
    ),
  };
}

function readGrant(source: YamlSource, at: YamlPath, mounts: Mounts): GrantRule {
  const { effect, who, operations, paths } = source.read(at, grantSchema);
  return {
    effect,
    users: who?.users?.map((user) => new UidPattern(user)),
    sessions: who?.sessions?.map((session) => brandId<SessionId>(session)),
    services: who?.services,
    operations,
    paths: paths.map((path, index) => readViewPattern(source, [...at, 'paths', index], path, mounts)),
  };
}

function readProtected(source: YamlSource, at: YamlPath, mounts: Mounts): readonly ProtectedName[] {
  const setting = source.read(at, z.unknown());
  if (typeof setting !== 'string') {
    return readProtectedOfMount(source, at, mounts);
  }
  return setting.startsWith('/')
    ? [{ pattern: readViewPattern(source, at, setting, mounts), from: 'view' }]
    : [{ pattern: readPattern(source, at, setting), from: 'mounts' }];
}

function readProtectedOfMount(source: YamlSource, at: YamlPath, mounts: Mounts): readonly ProtectedName[] {
  const { mount: text, names } = source.read(at, protectedSchema);
  const mountAt = [...at, 'mount'];
  const path = parsedAt(source, mountAt, () => VirtualPath.parse(text));
  if (!mounts.some((mount) => mount.path.equals(path))) {
    throw source.invalid(mountAt, `${text} is not among the mounts`);
  }
  return names.map((name, index) => {
    const nameAt = [...at, 'names', index];
    if (name.startsWith('/')) {
      throw source.invalid(nameAt, `${name} starts with /: names of a mount begin below it`);
    }
    return { pattern: readPattern(source, nameAt, name), from: path };
  });
}

/** A pattern over paths of views. One that no mount can meet is a mistake, and would protect nothing. */
function readViewPattern(source: YamlSource, at: YamlPath, text: string, mounts: Mounts): PathPattern {
  if (!text.startsWith('/')) {
    throw source.invalid(at, `${text} does not start with /`);
  }
  const pattern = readPattern(source, at, text);
  if (!mounts.some(({ path }) => pattern.mayCoverWithin(spellingsOf(path.segments)))) {
    throw source.invalid(at, `no mount is at ${text}, above it or below it`);
  }
  return pattern;
}

function readPattern(source: YamlSource, at: YamlPath, text: string): PathPattern {
  return parsedAt(source, at, () => PathPattern.parse(text, compileRe2Glob));
}

function parsedAt<Value>(source: YamlSource, at: YamlPath, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    throw error instanceof DomainError ? source.invalid(at, error.message.replace(/\.$/, ''), error) : error;
  }
}
