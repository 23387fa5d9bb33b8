import { matchesWild, type ToolRule, type ToolTarget } from '@spanwise/tool-kit/contract';

/**
 * Whether the rule speaks of a target, when it denies or asks: of a tree also when it may name something in it, of a host
 * also at other ports than the usual one.
 */
export function touches({ target }: ToolRule, { kind, value, isTree = false }: ToolTarget): boolean {
  if (target === undefined) {
    return true;
  }
  const pattern = patternOf(target, kind);
  const isOfHost = kind === 'host' && !/:\d+$/.test(pattern);
  return (
    matchesWild(pattern, isOfHost ? value.replace(/:\d+$/, '') : value) ||
    (isTree && mayMatchBelow(pattern, value === '/' ? value : `${value}/`))
  );
}

/** Whether a pattern matches anything that begins with a text: whether it can be read as far as the text goes. */
function mayMatchBelow(pattern: string, start: string): boolean {
  let places = withStars(pattern, new Set([0]));
  for (const char of start) {
    const next = new Set<number>();
    for (const place of places) {
      if (pattern[place] === '*') {
        next.add(place);
      } else if (pattern.startsWith(char, place)) {
        next.add(place + char.length);
      }
    }
    places = withStars(pattern, next);
  }
  return places.size > 0;
}

/** A star may also stand for nothing. */
function withStars(pattern: string, places: Set<number>): Set<number> {
  for (const place of places) {
    if (pattern[place] === '*') {
      places.add(place + 1);
    }
  }
  return places;
}

/**
 * Whether the rule speaks of a target, when it allows: there `*` in a command does not stand for what begins another
 * command, so that `bash(npm test*)` does not allow `npm test; rm -rf .`.
 */
export function covers({ target }: ToolRule, { kind, value }: ToolTarget): boolean {
  if (target === undefined) {
    return true;
  }
  return matchesWild(patternOf(target, kind), value, kind === 'command' ? isOfOneCommand : undefined);
}

/** Whether a character can not begin another command, nor send output elsewhere. */
const isOfOneCommand = (char: string) => !/[;&|<>$`()\n\r\\!{}]/.test(char);

/** As targets are written: paths in NFC, hosts in lower case and punycode, without a dot at their end. */
function patternOf(target: string, kind: ToolTarget['kind']): string {
  switch (kind) {
    case 'path':
      return target.normalize('NFC');
    case 'host':
      return target
        .toLowerCase()
        .replace(/\.(?=:\d+$|$)/, '')
        .split('.')
        .map(asciiLabel)
        .join('.');
    default:
      return target;
  }
}

function asciiLabel(label: string): string {
  return /^[ -~]*$/.test(label) ? label : (URL.parse(`http://${label}`)?.hostname ?? label);
}
