import type { OfferConstraints } from '../../mesos/types.ts';
import type { StateEvent } from './events.ts';
import type { State } from './state.ts';

type ConstraintsEvent = Extract<
  StateEvent,
  {
    type:
      | 'connected'
      | 'disconnected'
      | 'offer_constraints_sent'
      | 'offer_constraints_lost'
      | 'offer_constraints_refused';
  }
>;

/** Keeps up what the master knows of which offers are of use. */
export function trackConstraints(state: State, event: ConstraintsEvent): void {
  const { constraints } = state;
  switch (event.type) {
    case 'connected':
      constraints.sending = event.takesConstraints ? 'all' : 'nothing';
      // SUBSCRIBE may have restated them or not.
      constraints.sent = isNone(constraints.sent) ? {} : undefined;
      constraints.forSubscribe = undefined;
      state.demandChanged = true;
      return;
    case 'disconnected':
      // Restated once: should that be why the master doesn't answer, the attempts that follow are without.
      constraints.forSubscribe =
        state.connected && constraints.sending === 'all' && !isNone(constraints.sent)
          ? constraints.sent
          : undefined;
      return;
    case 'offer_constraints_sent':
      constraints.sent = event.constraints;
      state.demandChanged = false;
      return;
    case 'offer_constraints_lost':
      constraints.sent = undefined;
      state.demandChanged = true;
      return;
    case 'offer_constraints_refused':
      // Those told before are still in force. A master that won't even hear that there are none has never had any.
      constraints.sending = isNone(event.constraints) ? 'nothing' : 'empty';
      constraints.sent = undefined;
      state.demandChanged = true;
      return;
  }
}

function isNone(constraints: OfferConstraints | undefined): boolean {
  return constraints !== undefined && constraints.role_constraints === undefined;
}
