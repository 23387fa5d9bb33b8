import { describe, expect, it } from 'vitest';
import { ScriptedModelProvider } from '../../infrastructure/model-providers/scripted/scripted-model-provider.ts';
import { chooseModel, type ModelProvider } from './model-provider.ts';

const scripted = new ScriptedModelProvider([]);
const other: ModelProvider = Object.assign(new ScriptedModelProvider([]), { id: 'other' });

describe('the choice of a model', () => {
  it('is the first provider for a name without a provider', () => {
    expect(chooseModel([scripted, other], 'gpt-5-mini')).toEqual({ provider: scripted, model: 'gpt-5-mini' });
  });

  it('is the provider that the name begins with', () => {
    expect(chooseModel([scripted, other], 'other:demo:7b')).toEqual({ provider: other, model: 'demo:7b' });
  });

  it('leaves a colon alone that names no provider', () => {
    expect(chooseModel([scripted, other], 'llama3:8b')).toEqual({ provider: scripted, model: 'llama3:8b' });
    expect(chooseModel([scripted], ':x')).toEqual({ provider: scripted, model: ':x' });
  });

  it('refuses to choose from nothing', () => {
    expect(() => chooseModel([], 'x')).toThrow('no model provider is configured');
  });
});
