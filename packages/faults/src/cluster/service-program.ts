import { fileURLToPath } from 'node:url';

export const serviceNames = ['session', 'agent-runtime', 'tool-host', 'filesystem'] as const;
export type ServiceName = (typeof serviceNames)[number];

const roots: Readonly<Record<ServiceName, string>> = {
  session: import.meta.resolve('@spanwise/session/composition-root'),
  'agent-runtime': import.meta.resolve('@spanwise/agent-runtime/composition-root'),
  'tool-host': import.meta.resolve('@spanwise/tool-host/composition-root'),
  filesystem: import.meta.resolve('@spanwise/filesystem/composition-root'),
};

/** The program that a deployment starts. */
export function mainOf(service: ServiceName): string {
  return fileURLToPath(new URL('./main.ts', roots[service]));
}

/** The program that the suite starts: tool-host has tools of the suite besides its own. */
export function programOf(service: ServiceName): string {
  return service === 'tool-host' ? fileURLToPath(new URL('./tool-host-process.ts', import.meta.url)) : mainOf(service);
}
