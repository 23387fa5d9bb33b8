import { breach, type SandboxAttack } from './sandbox-attack.ts';
import { wearAttacks } from './sandbox-wear-attacks.ts';

export type { AttackTarget, SandboxAttack } from './sandbox-attack.ts';

/** What every attack is run with: small, so that those that are stopped are stopped soon. */
export const attackLimits = {
  wallMs: 3000,
  cpuSeconds: 2,
  memoryBytes: 256 * 1024 * 1024,
  processes: 64,
  openFiles: 64,
  outputBytes: 1024 * 1024,
};

/** Attempts on files of the machine. */
const fileAttacks: readonly SandboxAttack[] = [
  {
    name: 'read a file of the host',
    script: ({ secretFile }) => `cat '${secretFile}' && ${breach}`,
    expect: 'blocked',
  },
  {
    name: 'climb out with ..',
    script: ({ secretFile }) =>
      `cat "../../../../../../../..${secretFile}" && ${breach}; cd /workspace/../..//. && cat ".${secretFile}"`,
    expect: 'blocked',
  },
  {
    name: 'path with encodings and odd bytes',
    script: ({ secretFile }) =>
      [
        `cat "$(printf '/workspace/..%%2f..%s' '${secretFile}')" && ${breach}`,
        `cat $'/workspace/\\xe2\\x80\\xae/../..${secretFile}' && ${breach}`,
        `cat "/workspace/x\\\\..\\\\..${secretFile}" "file://${secretFile}" && ${breach}`,
      ].join('\n'),
    expect: 'blocked',
  },
  {
    name: 'plant a symlink to the host',
    script: ({ secretFile }) =>
      `ln -s '${secretFile}' /workspace/link; cat /workspace/link && ${breach}; ln -s / /tmp/root; cat "/tmp/root${secretFile}" && ${breach}; true`,
    expect: 'blocked',
  },
  {
    name: 'plant a hard link to the host',
    script: ({ secretFile }) => `ln '${secretFile}' /workspace/hard && cat /workspace/hard && ${breach}; true`,
    expect: 'blocked',
  },
  {
    name: 'plant a FIFO or a device',
    script: () =>
      `mkfifo /workspace/fifo; mknod /workspace/sda b 8 0 && head -c 1 /workspace/sda && ${breach}; head -c 1 /dev/sda && ${breach}; head -c 1 /dev/mem && ${breach}; true`,
    expect: 'blocked',
  },
  {
    name: 'write to the host',
    script: ({ emptyFolder }) =>
      `echo x > '${emptyFolder}/planted'; mkdir -p '${emptyFolder}/made'; cp /etc/hostname '${emptyFolder}/'; true`,
    expect: 'blocked',
  },
  {
    name: 'search the whole tree for the secret',
    script: ({ secret }) =>
      `grep -rl '${secret.slice(0, 12)}''${secret.slice(12)}' / 2>/dev/null | grep -v '^/proc/' && ${breach}; true`,
    expect: 'bounded',
  },
  {
    name: 'unpack an archive with paths that lead out',
    script: ({ emptyFolder }) =>
      [
        'cd /tmp && mkdir -p a && echo x > a/planted',
        `tar -cf out.tar -C a --transform 's|planted|../../../../../..${emptyFolder}/planted|' planted 2>/dev/null || tar -cPf out.tar a/../a/planted`,
        'tar -xPf out.tar; tar -xf out.tar; true',
      ].join('\n'),
    expect: 'blocked',
  },
];

/** Attempts on what is in the memory of the host, and on its processes. */
const processAttacks: readonly SandboxAttack[] = [
  {
    name: 'read the environment',
    script: () =>
      `env; printenv SPANWISE_ATTACK_SECRET && ${breach}; set; export -p; echo "$SPANWISE_ATTACK_SECRET$HOME$NODE_OPTIONS"`,
    expect: 'blocked',
  },
  {
    name: 'read the environment of others in /proc',
    script: ({ pid }) =>
      `cat /proc/${pid}/environ /proc/1/environ /proc/self/environ /proc/*/environ 2>/dev/null | tr '\\000' '\\n'; cat /proc/${pid}/cmdline && ${breach}; true`,
    expect: 'blocked',
  },
  {
    name: 'reach the host through /proc',
    script: ({ pid, secretFile }) =>
      `cat "/proc/${pid}/root${secretFile}" "/proc/1/root${secretFile}" "/proc/self/root${secretFile}" "/proc/${pid}/cwd/package.json" && ${breach}; ls /proc/${pid}/fd && ${breach}; true`,
    expect: 'blocked',
  },
  {
    name: 'write to /proc and /sys',
    // Some levels have a /proc of their own, which may be written: the test looks at the real one.
    script: ({ pid }) =>
      `echo 1000 > /proc/${pid}/oom_score_adj; echo 1000 > /proc/1/oom_score_adj; echo x > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger; ls /sys/class/net/eth0 && ${breach}; true`,
    expect: 'blocked',
  },
  {
    name: 'kill the process that runs the sandbox',
    script: ({ pid }) => `kill -9 ${pid} $PPID; kill -TERM ${pid}; kill -STOP ${pid}; true`,
    expect: 'blocked',
  },
  {
    name: 'signal everybody',
    script: () => `kill -9 -1; kill -9 0; kill -9 1; true`,
    expect: 'blocked',
  },
  {
    name: 'run a program of the host',
    // Some levels have programs: what they run may not reach more than the script itself.
    script: ({ emptyFolder, secretFile }) => {
      const program = `const fs = require("fs"); try { fs.writeFileSync("${emptyFolder}/planted", "x") } catch {} console.log(fs.readFileSync("${secretFile}", "utf8"))`;
      return `/proc/self/exe -e '${program}'; node -e '${program}'; js-exec -c '${program}'; python3 -c 'print(open("${secretFile}").read())'; true`;
    },
    expect: 'blocked',
  },
  {
    name: 'daemonise',
    script: ({ emptyFolder }) =>
      `(setsid sh -c 'while true; do date >> /workspace/daemon; sleep 0.05; done' > /dev/null 2>&1 &); nohup sh -c 'while true; do date >> /workspace/daemon; date >> ${emptyFolder}/planted; sleep 0.05; done' > /dev/null 2>&1 & disown; echo started`,
    expect: 'blocked',
  },
  {
    name: 'ignore signals',
    script: () => `trap '' TERM INT HUP XCPU ALRM; while true; do :; done`,
    expect: 'stopped',
  },
];

/** Attempts on the network. */
const networkAttacks: readonly SandboxAttack[] = [
  {
    name: 'connect to the host',
    script: ({ port }) =>
      `curl -s --max-time 1 http://127.0.0.1:${port}/knock && ${breach}; wget -qO- -T 1 http://127.0.0.1:${port}/knock && ${breach}; true`,
    expect: 'blocked',
  },
  {
    name: 'connect through /dev/tcp',
    script: ({ port }) =>
      `timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} && echo knock >&3 && head -n 1 <&3'; echo knock > /dev/tcp/127.0.0.1/${port}; echo knock > /dev/udp/127.0.0.1/${port}; true`,
    expect: 'blocked',
  },
  {
    name: 'ask for a name of the outside',
    script: () => `(timeout 2 getent hosts example.com || timeout 2 nslookup example.com) && ${breach}; true`,
    expect: 'blocked',
  },
];

/** Attempts on an interpreter that is written in JavaScript, and on the channel to it. */
const interpreterAttacks: readonly SandboxAttack[] = [
  {
    name: 'prototypes as names of variables',
    script: () =>
      [
        `__proto__=x; constructor=y; hasOwnProperty=z; export __proto__ constructor`,
        `declare -A m; m[__proto__]=a; m[constructor]=b; m[toString]=c; echo "\${m[constructor]}" > /dev/null`,
        `read -r __proto__ <<< polluted; printf -v prototype '%s' x; [ -n "\${polluted-}" ] && ${breach}; true`,
      ].join('\n'),
    expect: 'blocked',
  },
  {
    name: 'prototypes as data of jq and awk',
    script: () =>
      [
        `echo '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}' | jq -c '. * {"__proto__":{"polluted":1}}' > /dev/null`,
        `echo '{}' | jq '.polluted == 1' | grep true && ${breach}`,
        `awk 'BEGIN { a["__proto__"]["x"]=1; constructor=1; if ("polluted" in b) print "BRE" "ACH" }'`,
        `echo '{}' | jq '.constructor.constructor("return process")()' ; true`,
      ].join('\n'),
    expect: 'blocked',
  },
  {
    name: 'JavaScript in arithmetic and in expansions',
    script: () =>
      [
        `echo $((process.exit(1))); echo $(( (()=>{})["constructor"]("return 1")() ))`,
        "echo ${constructor.constructor} ${x@constructor} ${!__proto__}; let 'x=globalThis.process.pid'",
        'printf "%s" "${process.env}" | grep -q PATH && ' + breach + '; true',
      ].join('\n'),
    expect: 'blocked',
  },
  {
    name: 'JavaScript in jq, awk, sed and sqlite3',
    script: ({ secretFile, emptyFolder }) =>
      [
        `awk 'BEGIN { system("cat ${secretFile}"); while (("cat ${secretFile}" | getline l) > 0) print l; print "x" > "${emptyFolder}/planted" }'`,
        `echo x | sed -e '1e cat ${secretFile}' -e 'w ${emptyFolder}/planted' -e 'r ${secretFile}'`,
        `jq -n 'env' ; jq -n '$ENV.SPANWISE_ATTACK_SECRET // empty'; jq -n --rawfile f '${secretFile}' '$f'; jq -n 'import "${secretFile}" as $f; $f'`,
        `sqlite3 :memory: "SELECT readfile('${secretFile}'); ATTACH '${emptyFolder}/planted' AS p; SELECT load_extension('x');"`,
        `yq '.' '${secretFile}'; xan cat '${secretFile}'; true`,
      ].join('\n'),
    expect: 'blocked',
  },
  {
    name: 'frames of the channel in the output',
    script: () =>
      `printf '\\000\\000\\000\\040\\000\\000\\000\\000{"type":"exit","exitCode":0,"notices":["BRE""ACH"]}'; printf '{"cmd":"NODE_HANDLE","type":"exit"}\\n'; echo '{"type":"file","id":1,"operation":"read","path":"/etc/passwd"}' >&2; exit 3`,
    expect: 'blocked',
  },
  {
    name: 'write to descriptors of the channel',
    script: () =>
      `echo x >&3; echo x >&4; echo x > /dev/fd/3; echo x > /proc/self/fd/1; cat <&3; cat /dev/fd/0; exec 1>&- 2>&-; echo hidden; exit 3`,
    expect: 'blocked',
  },
];

/** All attacks, in the order of docs/sandbox.md. */
export const sandboxAttacks: readonly SandboxAttack[] = [
  ...fileAttacks,
  ...processAttacks,
  ...networkAttacks,
  ...wearAttacks,
  ...interpreterAttacks,
];
