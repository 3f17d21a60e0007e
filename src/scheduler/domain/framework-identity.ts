import type { Settings } from './settings.ts';

/**
 * The part of a FrameworkInfo that must stay the same as long as its framework exists. Source: Mesos' master refuses
 * changes of user, principal and checkpoint, and tasks keep the role in which they were launched.
 */
export interface FrameworkIdentity {
  readonly user: string;
  /** Absent: the framework has none. */
  readonly principal?: string;
  readonly checkpoint: boolean;
  readonly role: string;
}

/** Lists the flags that must change so that the scheduler subscribes as this framework. */
export function flagsFor(identity: FrameworkIdentity, { framework, role }: Settings): string[] {
  const { principal = '' } = identity;
  return [
    ...(identity.user === framework.user ? [] : [`--mesos_user ${identity.user}`]),
    ...(identity.role === role ? [] : [`--mesos_role ${identity.role}`]),
    ...(principal === (framework.principal ?? '')
      ? []
      : [
          principal === ''
            ? 'no --mesos_authentication_principal'
            : `--mesos_authentication_principal ${principal}`,
        ]),
  ];
}

/** @returns the settings with which the scheduler subscribes as this framework. No flag sets `checkpoint`. */
export function withIdentity(settings: Settings, { checkpoint }: FrameworkIdentity): Settings {
  return { ...settings, framework: { ...settings.framework, checkpoint } };
}
