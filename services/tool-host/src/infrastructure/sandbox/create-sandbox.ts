import type { CallLog } from '@spanwise/tool-kit/contract';
import { CheckedSandbox } from './checked-sandbox.ts';
import { NamespacedSandbox } from './namespaced/namespaced-sandbox.ts';
import type { SandboxLevel, SandboxRunner } from './sandbox-runner.ts';
import { SandboxSlots } from './sandbox-slots.ts';
import { VirtualSandbox } from './virtual/virtual-sandbox.ts';

export interface SandboxSettings {
  readonly level: SandboxLevel;
  /** Commands that run at once; others wait. */
  readonly slots: number;
  readonly log: Pick<CallLog, 'info' | 'error'>;
}

/** The sandbox of this process. Its check has begun, and is logged when it ends; commands wait for it. */
export function createSandbox({ level, slots, log }: SandboxSettings): SandboxRunner {
  const sandbox = level === 'virtual' ? new VirtualSandbox() : new NamespacedSandbox();
  const checked = new CheckedSandbox(sandbox, (checkedLevel, failure) => {
    const facts = { sandbox: checkedLevel };
    if (failure === undefined) {
      log.info(facts, 'sandbox checked');
    } else {
      log.error({ ...facts, err: failure }, 'sandbox unavailable: bash answers SANDBOX_UNAVAILABLE');
    }
  });
  return new SandboxSlots(checked, slots);
}
