import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import { DockerEngine } from '../docker/engine.ts';
import { ContainerStops } from './container-stops.ts';

/** An engine that is busy or fails in ways that a real one does only now and then. */
class FaultyEngine extends DockerEngine {
  readonly signals: (string | undefined)[] = [];
  faults: Error[] = [];
  stopSignal = '';

  override async inspectContainer(): ReturnType<DockerEngine['inspectContainer']> {
    return { Config: { StopSignal: this.stopSignal } } as Awaited<
      ReturnType<DockerEngine['inspectContainer']>
    >;
  }

  override async killContainer(_container: string, signal?: string): Promise<void> {
    const fault = this.faults.shift();
    if (fault) throw fault;
    this.signals.push(signal);
  }
}

const UNREACHABLE = new DockerUnavailableError('not running');

async function signalsOf(engine: FaultyEngine, count: number): Promise<(string | undefined)[]> {
  while (engine.signals.length < count) await sleep(2);
  return engine.signals;
}

describe('a stop', () => {
  test('sends the container’s stop signal, and SIGKILL after the grace period', async () => {
    const engine = new FaultyEngine('/nowhere');
    engine.stopSignal = 'SIGUSR1';
    const stops = new ContainerStops(engine, () => {});
    stops.stop('c', 20);
    expect(await signalsOf(engine, 2)).toEqual(['SIGUSR1', undefined]);
  });

  test('brings SIGKILL forward if it is repeated, without a second stop signal', async () => {
    const engine = new FaultyEngine('/nowhere');
    const stops = new ContainerStops(engine, () => {});
    stops.stop('c', 3_600_000);
    await signalsOf(engine, 1);
    stops.stop('c', 10);
    expect(await signalsOf(engine, 2)).toEqual(['SIGTERM', undefined]);
  });

  test('sends each signal again until Docker takes it', async () => {
    const engine = new FaultyEngine('/nowhere');
    engine.faults = [UNREACHABLE, new DockerError('no exit event', 500)];
    const stops = new ContainerStops(engine, () => {});
    stops.stop('c', 0);
    await signalsOf(engine, 1);
    engine.faults = [UNREACHABLE];
    expect(await signalsOf(engine, 2)).toEqual(['SIGTERM', undefined]);
  });

  test('sends nothing more when the container has ended', async () => {
    const engine = new FaultyEngine('/nowhere');
    const stops = new ContainerStops(engine, () => {});
    stops.stop('c', 30);
    await signalsOf(engine, 1);
    stops.ended('c');
    engine.faults = [new DockerError('is not running', 409)];
    stops.stop('d', 0);
    await sleep(60);
    expect(engine.signals).toEqual(['SIGTERM']);
  });
});
