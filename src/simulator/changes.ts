/** Changes apps as users do: as planned in the scenario, and at random. */

import type { Change, Input } from '../scheduler/decide/inputs.ts';
import type { State } from '../scheduler/domain/state.ts';
import type { Agenda } from './agenda.ts';
import type { Core } from './core.ts';
import type { Link } from './link.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { BROKEN } from './tasks.ts';

const RETRY_MS = 1000;

interface World {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly core: Core;
  readonly link: Link;
}

export class Changes {
  readonly counts: Record<string, number> = {};
  readonly #world: World;
  readonly #scenario: Scenario;
  #serial = 0;

  /** @param begin start of the scenario in virtual milliseconds */
  constructor(world: World, scenario: Scenario, begin: number) {
    this.#world = world;
    this.#scenario = scenario;
    const { agenda, random } = world;
    const creates = scenario.apps.map(({ app }): Change => ({ op: 'create', app, api: 'v2' }));
    if (creates.length > 0) this.#change('create', creates);
    for (const one of scenario.changes) {
      agenda.at(begin + one.at * 1000, () => this.#applyPlanned(one));
    }
    const { randomChangesPerMinute: perMinute, seconds } = scenario;
    if (perMinute === 0 || scenario.apps.length === 0) return;
    const next = (): void => {
      const at = agenda.now + random.wait(perMinute);
      if (at >= begin + seconds * 1000) return;
      agenda.at(at, () => {
        this.#changeAtRandom();
        next();
      });
    };
    next();
  }

  /** Retries until a scheduler accepts the change. */
  #change(name: string, changes: readonly Change[]): void {
    const { agenda, link } = this.#world;
    link.input({ type: 'change', changes, force: true, seed: this.#world.random.fraction() }, (reply) => {
      if (reply === undefined) agenda.after(RETRY_MS, () => this.#change(name, changes));
      else this.#count(reply.type === 'deployed' ? name : `refused: ${reply.type}`);
    });
  }

  #applyPlanned(one: Scenario['changes'][number]): void {
    if ('scale' in one) this.#change('scale', [{ op: 'scale', appId: one.scale, instances: one.instances }]);
    else if ('update' in one)
      this.#change('update', [
        { op: 'update', appId: one.update, fields: one.fields, partial: true, upsert: false },
      ]);
    else if ('restart' in one) this.#change('restart', [{ op: 'restart', appId: one.restart }]);
    else this.#change('remove', [{ op: 'remove', appId: one.remove }]);
  }

  #changeAtRandom(): void {
    const { random, core, link } = this.#world;
    const simulated = random.pick(this.#scenario.apps);
    if (!simulated || !link.up) return;
    const { app } = simulated;
    if (!core.state.apps.has(app.id)) {
      this.#submit('create', this.#createChange([{ op: 'create', app, api: 'v2' }]));
      return;
    }
    const [name, input] = this.#randomInput(core.state, app.id, app.instances);
    this.#submit(name, input);
  }

  #randomInput(state: State, appId: string, usual: number): [string, Input] {
    const { random } = this.#world;
    const kind = random.integer(1, 20);
    if (kind <= 5) {
      const instances = random.integer(0, Math.ceil(usual * 1.5));
      return ['scale', this.#createChange([{ op: 'scale', appId, instances }])];
    }
    if (kind <= 11) {
      const fields = this.#newFields();
      return ['update', this.#createChange([{ op: 'update', appId, fields, partial: true, upsert: false }])];
    }
    if (kind <= 13) return ['restart', this.#createChange([{ op: 'restart', appId }])];
    if (kind <= 14) return ['remove', this.#createChange([{ op: 'remove', appId }])];
    if (kind <= 15) return ['lift delay', { type: 'lift_delay', appId }];
    if (kind <= 17) {
      const host = random.pick([...(state.apps.get(appId)?.tasks.values() ?? [])])?.host ?? '*';
      return ['kill', { type: 'kill_tasks', filter: { appId, host }, scale: random.chance(0.3) }];
    }
    const deploymentId = random.pick([...state.deployments.keys()]);
    if (deploymentId === undefined) return ['restart', this.#createChange([{ op: 'restart', appId }])];
    if (kind <= 18) return ['cancel', { type: 'cancel_deployment', deploymentId }];
    return ['roll back', this.#createChange([{ op: 'roll_back', deploymentId }])];
  }

  #newFields(): Record<string, unknown> {
    const { random } = this.#world;
    this.#serial += 1;
    const strategy = {
      minimumHealthCapacity: random.pick([0, 0.3, 0.5, 0.9, 1]),
      maximumOverCapacity: random.pick([0, 0.2, 0.5, 1]),
    };
    return {
      env: { SERIAL: String(this.#serial) },
      labels: random.chance(0.2) ? { [BROKEN]: 'yes' } : {},
      ...(random.chance(0.3) && { upgradeStrategy: strategy }),
      ...(random.chance(0.5) && { maxFailures: random.integer(0, 5) }),
      ...(random.chance(0.3) && { progressDeadlineSeconds: random.integer(30, 300) }),
    };
  }

  #createChange(changes: readonly Change[]): Input {
    const { random } = this.#world;
    return { type: 'change', changes, force: random.chance(0.5), seed: random.fraction() };
  }

  #submit(name: string, input: Input): void {
    this.#world.link.input(input, (reply) => {
      if (reply === undefined) return;
      const done = reply.type === 'deployed' || reply.type === 'done' || reply.type === 'killed';
      this.#count(done ? name : `refused: ${reply.type}`);
    });
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}
