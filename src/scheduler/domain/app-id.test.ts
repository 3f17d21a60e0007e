import { describe, expect, it } from 'vitest';
import { absoluteId, ancestorsOf, findIdProblem, flatId, hostLikeId, isWithin, parentOf } from './app-id.ts';

describe('ids', () => {
  it.each([
    ['x', undefined, '/x'],
    ['/x/y/', undefined, '/x/y'],
    ['x', '/g', '/g/x'],
    ['../x', '/g/h', '/g/x'],
    ['./x', '/g', '/g/x'],
    ['../../..', '/g', '/'],
    ['/x', '/g', '/x'],
  ])('%s from %s is %s', (id, base, absolute) => {
    expect(absoluteId(id, base)).toBe(absolute);
  });

  it.each(['/a', '/a/b-c', '/a.b/c', '/0'])('%s is valid', (id) => {
    expect(findIdProblem(id)).toBeUndefined();
  });

  it.each([
    ['/A', 'must be a path'],
    ['/a_b', 'must be a path'],
    ['/-a', 'must be a path'],
    ['/a//b', 'must be a path'],
    ['/a/restart', "may not end in 'restart'"],
    ['/a/tasks', "may not end in 'tasks'"],
    [`/${'a'.repeat(200)}`, 'may have at most 200 characters'],
  ])('%s is invalid: %s', (id, problem) => {
    expect(findIdProblem(id)).toContain(problem);
  });

  it('are paths', () => {
    expect([parentOf('/'), parentOf('/a'), parentOf('/a/b')]).toEqual(['/', '/', '/a']);
    expect(ancestorsOf('/a/b/c')).toEqual(['/a/b', '/a', '/']);
    expect([isWithin('/', '/'), isWithin('/a', '/'), isWithin('/ab', '/a'), isWithin('/a/b', '/a')]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect([flatId('/a/b'), flatId('/a/b', '.'), hostLikeId('/a/b')]).toEqual(['a_b', 'a.b', 'b.a']);
  });
});
