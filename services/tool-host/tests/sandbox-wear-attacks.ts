import type { SandboxAttack } from './sandbox-attack.ts';

/** Attempts on processor, memory and output. */
export const wearAttacks: readonly SandboxAttack[] = [
  {
    name: 'fork bomb',
    script: () => `bomb() { bomb | bomb & }; bomb; while true; do sh -c 'sleep 1' & done`,
    expect: 'stopped',
  },
  {
    name: 'infinite loop',
    script: () => 'while true; do :; done',
    expect: 'stopped',
  },
  {
    name: 'infinite loop in awk',
    script: () => `awk 'BEGIN { while (1) x++ }'`,
    expect: 'stopped',
  },
  {
    name: 'infinite loop in sed',
    script: () => `echo x | sed ':a;s/x/x/;ta'`,
    expect: 'stopped',
  },
  {
    name: 'sleep for ever',
    script: () => 'sleep 100000',
    expect: 'stopped',
  },
  {
    name: 'deep recursion',
    script: () => 'f() { f "$@"; }; f; exit $?',
    expect: 'stopped',
  },
  {
    name: 'deep nesting of what is parsed',
    script: () => `eval "$(printf '(%.0s' {1..20000}) echo $(printf ')%.0s' {1..20000})"`,
    expect: 'stopped',
  },
  {
    name: 'fill the memory with a variable',
    script: () => 'x=0123456789abcdef; while true; do x="$x$x"; done',
    expect: 'stopped',
  },
  {
    name: 'fill the memory with an array',
    script: () =>
      'while true; do a+=("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef $RANDOM"); done',
    expect: 'stopped',
  },
  {
    name: 'fill /tmp',
    script: () => 'head -c 1000000 /dev/zero > /tmp/0; i=0; while cat /tmp/0 > /tmp/f$i; do i=$((i+1)); done; exit 1',
    expect: 'stopped',
  },
  {
    name: 'huge brace expansion',
    script: () => 'echo {1..9999}{1..9999}{1..9999} > /dev/null',
    expect: 'bounded',
  },
  {
    name: 'output flood',
    script: () => 'while true; do echo 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef; done',
    expect: 'stopped',
  },
  {
    name: 'output in one piece',
    script: () => 'seq 1 20000000',
    expect: 'stopped',
  },
  {
    name: 'huge here-document',
    script: () =>
      `cat <<END | wc -c\n${'0123456789abcdef'.repeat(20_000)}\nEND\nx=$(printf '%01000000d' 0); while true; do x="$x$(cat <<< "$x")"; done`,
    expect: 'stopped',
  },
  {
    name: 'regular expression bomb in grep',
    script: () =>
      `printf 'a%.0s' {1..5000} | grep -E '^(a+)+$b|^((a|a)*)*c' ; printf 'a%.0s' {1..5000} | grep -P '^(a+)+b'; true`,
    expect: 'blocked',
  },
  {
    name: 'regular expression bomb in sed and awk',
    script: () =>
      `printf 'a%.0s' {1..5000} | sed -E 's/^(a+)+b/x/' > /dev/null; printf 'a%.0s' {1..5000} | awk '/^(a+)+b/'; [[ $(printf 'a%.0s' {1..5000}) =~ ^(a+)+b ]]; true`,
    expect: 'blocked',
  },
  {
    name: 'pattern bomb in the shell',
    script: () =>
      `shopt -s extglob; x=$(printf 'a%.0s' {1..30}); [[ $x == +(+(a))b ]]; case $x in *a*a*a*a*a*a*a*a*a*a*b) ;; esac; echo \${x//+(+(a))b/}; true`,
    expect: 'bounded',
  },
  {
    name: 'thousands of open files',
    script: () => 'for i in {10..5000}; do eval "exec $i>/tmp/fd$i" || exit 1; done; exit 1',
    expect: 'stopped',
  },
];
