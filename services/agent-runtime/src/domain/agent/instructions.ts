import { invariantBroken } from '@spanwise/kernel';

/** What a template of instructions can name, written `{{name}}`. */
export interface InstructionVariables {
  /** Name of the agent. */
  readonly agent: string;
  /** Today, UTC, as 2027-01-31. Not the time of day: the text begins every prompt and should stay the same for a day. */
  readonly date: string;
}

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;
const names: readonly string[] = ['agent', 'date'] satisfies (keyof InstructionVariables)[];

/** Names in a template that are no variable, in order. */
export function unknownVariables(template: string): readonly string[] {
  return [...template.matchAll(placeholder)].map(([, name = '']) => name).filter((name) => !names.includes(name));
}

/** The instructions that a model is given. The template was checked by {@link unknownVariables}. */
export function renderInstructions(template: string, variables: InstructionVariables): string {
  return template.replaceAll(placeholder, (_, name: string) => {
    if (name !== 'agent' && name !== 'date') {
      throw invariantBroken(`unknown variable ${name} in instructions`);
    }
    return variables[name];
  });
}
