import { expect, it } from 'vitest';
import { execContainerOf, findExecProblem } from './exec-container.ts';
import { INITIAL, type Task } from './executor-state.ts';

function stateWith(phase: Task['phase'], container?: string) {
  return { ...INITIAL, tasks: new Map([['t', { id: 't', phase, container } as Task]]) };
}

it('finds the container of a running task only', () => {
  expect(execContainerOf(stateWith('running', 'c'), 't')).toEqual({ container: 'c' });
  for (const phase of ['preparing', 'creating', 'starting'] as const)
    expect(execContainerOf(stateWith(phase, 'c'), 't')).toEqual({
      problem: "The container of task 't' does not run yet",
    });
  expect(execContainerOf(stateWith('ended', 'c'), 't')).toEqual({ problem: "Task 't' has ended" });
  expect(execContainerOf(stateWith('running', 'c'), 'u')).toHaveProperty('problem');
});

it('obeys the agent’s policy, and refuses if that can’t be read', () => {
  const file = '/etc/mesosup/executor.json';
  expect(findExecProblem({ file, policy: {} })).toBeUndefined();
  expect(findExecProblem({ file, policy: { exec: true } })).toBeUndefined();
  expect(findExecProblem({ file, policy: { exec: false } })).toBe(`${file} on this agent forbids exec`);
  expect(findExecProblem({ file, problem: 'is not valid JSON' })).toBe(
    `${file} on this agent: is not valid JSON`,
  );
});
