import type { SessionId, Uid } from '@spanwise/kernel';
import type { VirtualPath } from '../path/virtual-path.ts';
import { notGranted } from './access-errors.ts';
import type { Operation } from './operation.ts';
import type { PathPattern } from './path-pattern.ts';
import { type PathSpellings, spellingsOf } from './path-spellings.ts';
import type { UidPattern } from './uid-pattern.ts';

/** For whom something is done, and by which service. */
export interface GrantCaller {
  readonly uid: Uid;
  readonly sessionId: SessionId;
  /** Name of the service that calls; absent when it has not named itself. */
  readonly service?: string | undefined;
}

/** A rule of the configuration. */
export interface GrantRule {
  readonly effect: 'allow' | 'deny';
  /** It holds for users with such ids; undefined: for all. */
  readonly users: readonly UidPattern[] | undefined;
  /** It holds in these sessions; undefined: in all. What is given has to fit all at once. */
  readonly sessions: readonly SessionId[] | undefined;
  /** It holds for calls of these services; undefined: of all. */
  readonly services?: readonly string[] | undefined;
  readonly operations: readonly Operation[];
  /** Over paths of views. */
  readonly paths: readonly PathPattern[];
}

/**
 * Who may do what where. The order of rules does not matter:
 *
 * 1. A deny rule that holds for the caller and the operation and covers the path refuses.
 * 2. Else an allow rule that does so allows.
 * 3. Else the path is refused when any allow rule covers it, for whomever and whichever operation, for such a path is
 *    reserved for whom and what its rules name; and allowed when none does.
 *
 * A rule covers what its patterns match and everything below. Rules that close a path (1, 3) also cover other spellings of
 * it that a disk may take for the same; rules that open it (2) cover it only as it is written.
 */
export class AccessRules {
  /** Everything is allowed. */
  static readonly none = new AccessRules([]);

  readonly #denies: readonly GrantRule[];
  readonly #allows: readonly GrantRule[];

  constructor(rules: readonly GrantRule[]) {
    this.#denies = rules.filter((rule) => rule.effect === 'deny');
    this.#allows = rules.filter((rule) => rule.effect === 'allow');
  }

  /** Throws NOT_GRANTED, whatever is at the path: to be asked before the disk is. */
  assertMay(operation: Operation, caller: GrantCaller, path: VirtualPath): void {
    if (!this.may(operation, caller, path)) {
      throw notGranted(path, operation);
    }
  }

  /** True where {@link AccessRules.assertMay} does not throw. */
  may(operation: Operation, caller: GrantCaller, path: VirtualPath): boolean {
    if (this.#isEmpty) {
      return true;
    }
    const spellings = spellingsOf(path.segments);
    if (this.#denies.some((rule) => concerns(rule, operation, caller) && covers(rule, spellings))) {
      return false;
    }
    return this.#isOpened(operation, caller, spellings) || !this.#allows.some((allow) => covers(allow, spellings));
  }

  /**
   * For an operation on a directory with all that is in it. Throws NOT_GRANTED when a rule might refuse the operation
   * somewhere below: by the patterns alone, also when nothing is there. Who does not want that walks the directory and asks
   * {@link AccessRules.assertMay} for each path, the directory included. A move reads and deletes one directory and writes
   * another one: without `read` it would carry what may not be read to where it may.
   */
  assertMayAll(operation: Operation, caller: GrantCaller, path: VirtualPath): void {
    if (!this.mayAll(operation, caller, path)) {
      throw notGranted(path, operation);
    }
  }

  /** True where {@link AccessRules.assertMayAll} does not throw: then no path below has to be asked for. */
  mayAll(operation: Operation, caller: GrantCaller, path: VirtualPath): boolean {
    if (this.#isEmpty) {
      return true;
    }
    const spellings = spellingsOf(path.segments);
    if (this.#denies.some((rule) => concerns(rule, operation, caller) && mayCoverWithin(rule, spellings))) {
      return false;
    }
    return (
      // What opens a directory opens all below it.
      this.#isOpened(operation, caller, spellings) || !this.#allows.some((allow) => mayCoverWithin(allow, spellings))
    );
  }

  /** False for what the caller may not read: it is left out where several things are shown, and no error tells of it. */
  isVisible(caller: GrantCaller, path: VirtualPath): boolean {
    return this.may('read', caller, path);
  }

  get #isEmpty(): boolean {
    return this.#denies.length === 0 && this.#allows.length === 0;
  }

  #isOpened(operation: Operation, caller: GrantCaller, path: PathSpellings): boolean {
    return this.#allows.some(
      (rule) => concerns(rule, operation, caller) && rule.paths.some((pattern) => pattern.coversExactly(path)),
    );
  }
}

function concerns(rule: GrantRule, operation: Operation, { uid, sessionId, service }: GrantCaller): boolean {
  return (
    rule.operations.includes(operation) &&
    (rule.users === undefined || rule.users.some((user) => user.matches(uid))) &&
    (rule.sessions === undefined || rule.sessions.includes(sessionId)) &&
    (rule.services === undefined || rule.services.includes(service ?? ''))
  );
}

function covers(rule: GrantRule, path: PathSpellings): boolean {
  return rule.paths.some((pattern) => pattern.covers(path));
}

function mayCoverWithin(rule: GrantRule, path: PathSpellings): boolean {
  return rule.paths.some((pattern) => pattern.mayCoverWithin(path));
}
