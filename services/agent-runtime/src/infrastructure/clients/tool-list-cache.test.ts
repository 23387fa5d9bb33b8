import { fakeClock } from '@spanwise/testing';
import { describe, expect, it } from 'vitest';
import { testTool } from '../../../tests/doubles/test-tool.ts';
import type { Tool } from '../../domain/tool/tool.ts';
import { type ToolList, ToolListCache } from './tool-list-cache.ts';

const list = (name: string): readonly Tool[] => [testTool({ name })];
const all = (name: string): ToolList => ({ tools: list(name), isPerUser: false });
const own = (name: string): ToolList => ({ tools: list(name), isPerUser: true });

describe('the kept list of tools', () => {
  it('is asked for once while it is fresh, also by many at the same time', async () => {
    const clock = fakeClock();
    const cache = new ToolListCache({ clock, keepMs: 5_000 });
    let asked = 0;
    const load = async () => all(`v${++asked}`);
    expect(await Promise.all([cache.get('ann', load), cache.get('bob', load)])).toEqual([list('v1'), list('v1')]);
    clock.advance(4_999);
    expect(await cache.get('ann', load)).toEqual(list('v1'));
    clock.advance(1);
    expect(await cache.get('ann', load)).toEqual(list('v2'));
  });

  it('is used beyond its time when a new one can not be had', async () => {
    const clock = fakeClock();
    const cache = new ToolListCache({ clock, keepMs: 5_000 });
    const fail = () => Promise.reject(new RangeError('away'));
    await expect(cache.get('ann', fail)).rejects.toThrow('away');
    await cache.get('ann', async () => all('v1'));
    clock.advance(60_000);
    expect(await cache.get('ann', fail)).toEqual(list('v1'));
    expect(await cache.get('ann', async () => all('v2'))).toEqual(list('v2'));
  });

  it('is each user’s own when tool-host says so, also for those who waited for the same answer', async () => {
    const clock = fakeClock();
    const cache = new ToolListCache({ clock, keepMs: 5_000 });
    const asked: string[] = [];
    const loadFor = (uid: string) => async () => {
      asked.push(uid);
      await Promise.resolve();
      return own(uid);
    };
    const get = (uid: string) => cache.get(uid, loadFor(uid));
    expect(await Promise.all([get('ann'), get('bob'), get('ann')])).toEqual([list('ann'), list('bob'), list('ann')]);
    expect(asked).toEqual(['ann', 'bob']);
    expect([await get('bob'), await get('ann')]).toEqual([list('bob'), list('ann')]);
    expect(asked).toEqual(['ann', 'bob']);
    clock.advance(5_000);
    expect(await cache.get('ann', async () => all('everybody'))).toEqual(list('everybody'));
    expect(await get('bob')).toEqual(list('everybody'));
  });
});
