import type { OfferConstraints } from '../../mesos/types.ts';
import type { StateEvent } from './events.ts';
import type { State } from './state.ts';

type Told = Extract<
  StateEvent,
  {
    type:
      | 'connected'
      | 'disconnected'
      | 'offer_constraints_told'
      | 'offer_constraints_lost'
      | 'offer_constraints_refused';
  }
>;

/** Keeps up what the master knows of which offers are of use. */
export function tellConstraints(state: State, event: Told): void {
  const { constraints } = state;
  switch (event.type) {
    case 'connected':
      constraints.telling = event.takesConstraints ? 'all' : 'nothing';
      // SUBSCRIBE may have restated them or not.
      constraints.told = isNone(constraints.told) ? {} : undefined;
      constraints.restated = undefined;
      state.demandChanged = true;
      return;
    case 'disconnected':
      // Restated once: should that be why the master doesn't answer, the attempts that follow are without.
      constraints.restated =
        state.connected && constraints.telling === 'all' && !isNone(constraints.told)
          ? constraints.told
          : undefined;
      return;
    case 'offer_constraints_told':
      constraints.told = event.constraints;
      state.demandChanged = false;
      return;
    case 'offer_constraints_lost':
      constraints.told = undefined;
      state.demandChanged = true;
      return;
    case 'offer_constraints_refused':
      // Those told before are still in force. A master that won't even hear that there are none has never had any.
      constraints.telling = isNone(event.constraints) ? 'nothing' : 'that there are none';
      constraints.told = undefined;
      state.demandChanged = true;
      return;
  }
}

function isNone(constraints: OfferConstraints | undefined): boolean {
  return constraints !== undefined && constraints.role_constraints === undefined;
}
