import { fakeClock } from '@spanwise/testing';
import { describe, expect, it } from 'vitest';
import { testTool } from '../../../tests/doubles/test-tool.ts';
import type { Tool } from '../../domain/tool/tool.ts';
import { ToolListCache } from './tool-list-cache.ts';

const list = (name: string): readonly Tool[] => [testTool({ name })];

describe('the kept list of tools', () => {
  it('is asked for once while it is fresh, also by many at the same time', async () => {
    const clock = fakeClock();
    const cache = new ToolListCache({ clock, keepMs: 5_000 });
    let asked = 0;
    const load = async () => list(`v${++asked}`);
    expect(await Promise.all([cache.get(load), cache.get(load)])).toEqual([list('v1'), list('v1')]);
    clock.advance(4_999);
    expect(await cache.get(load)).toEqual(list('v1'));
    clock.advance(1);
    expect(await cache.get(load)).toEqual(list('v2'));
  });

  it('is used beyond its time when a new one can not be had', async () => {
    const clock = fakeClock();
    const cache = new ToolListCache({ clock, keepMs: 5_000 });
    const fail = () => Promise.reject(new RangeError('away'));
    await expect(cache.get(fail)).rejects.toThrow('away');
    await cache.get(async () => list('v1'));
    clock.advance(60_000);
    expect(await cache.get(fail)).toEqual(list('v1'));
    expect(await cache.get(async () => list('v2'))).toEqual(list('v2'));
  });
});
