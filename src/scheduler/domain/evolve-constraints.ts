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

/** Tracks the offer constraints that the master knows. */
export function trackConstraints(state: State, event: ConstraintsEvent): void {
  const { constraints } = state;
  switch (event.type) {
    case 'connected':
      constraints.sending = event.takesConstraints ? 'all' : 'nothing';
      // It is unknown whether SUBSCRIBE contained them.
      constraints.sent = isNone(constraints.sent) ? {} : undefined;
      constraints.forSubscribe = undefined;
      state.demandChanged = true;
      return;
    case 'disconnected':
      // Only the first SUBSCRIBE repeats the constraints: if they are the reason for its failure, the next ones succeed.
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
      // The constraints sent before stay in force. A master that rejects even empty constraints has none.
      constraints.sending = isNone(event.constraints) ? 'nothing' : 'empty';
      constraints.sent = undefined;
      state.demandChanged = true;
      return;
  }
}

function isNone(constraints: OfferConstraints | undefined): boolean {
  return constraints !== undefined && constraints.role_constraints === undefined;
}
