import { runService } from '@spanwise/service-kit';
import { builtInTools } from '@spanwise/tool-host/built-in-tools';
import { createToolHostService } from '@spanwise/tool-host/composition-root';
import { readToolHostConfig } from '@spanwise/tool-host/config';
import { EffectFile } from './effect-file.ts';
import { faultTools } from './fault-tools.ts';

// Tool-host as it is deployed, with the tools of the suite besides its own.
const effects = new EffectFile(process.env.SPANWISE_FAULTS_EFFECTS ?? '');
const tools = [...builtInTools, ...faultTools(effects)];

await runService(() => createToolHostService(readToolHostConfig(), { tools }));
