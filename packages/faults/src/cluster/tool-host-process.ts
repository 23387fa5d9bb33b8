import { runService } from '@spanwise/service-kit';
import { createToolHostService } from '@spanwise/tool-host/composition-root';
import { readToolHostConfig } from '@spanwise/tool-host/config';
import { EffectFile } from './effect-file.ts';
import { faultTools, type Tool } from './fault-tools.ts';

// Tool-host as it is deployed, with the tools of the suite besides its own.
const builtIn = new URL('./infrastructure/tools/built-in-tools.ts', import.meta.resolve('@spanwise/tool-host/config'));
const { builtInTools } = (await import(builtIn.href)) as { readonly builtInTools: readonly Tool[] };
const effects = new EffectFile(process.env.SPANWISE_FAULTS_EFFECTS ?? '');
const tools = [...builtInTools, ...faultTools(effects)];

await runService(() => createToolHostService(readToolHostConfig(), { tools }));
