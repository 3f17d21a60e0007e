import type { App } from '../../domain/app.ts';
import type { FieldError } from '../../domain/field-errors.ts';
import { allowsUri } from '../../domain/scheduler-policy.ts';
import type { Settings } from '../../domain/settings.ts';
import type { Form } from './form.ts';

/** @returns the first field of an app that the scheduler's policy forbids */
export function findForbidden(
  app: App,
  form: Form,
  { policy }: Pick<Settings, 'policy'>,
): FieldError | undefined {
  if (!policy) return undefined;
  const isCommand = form.type === 'command' || ('withoutImage' in form && form.withoutImage);
  if (isCommand && !policy.allowCommands) {
    return forbidden(['cmd'], 'may not be run without a container', 'allowCommands');
  }
  if (form.type === 'own' && !policy.allowedExecutors.includes(form.path)) {
    return forbidden(['executor'], `may not be ${form.path}`, 'allowedExecutors');
  }
  if (
    (form.type === 'docker' || form.type === 'mesos') &&
    !policy.allowedContainerizers.includes(form.type)
  ) {
    const error = `may not be run by Mesos' containerizer ${form.type}`;
    return forbidden(['container'], error, 'allowedContainerizers');
  }
  // In the Docker executor, the user is one of the container.
  const isInContainer = form.type === 'shared' || form.type === 'single';
  if (!isInContainer && app.user !== undefined && !policy.allowedUsers.includes(app.user)) {
    return forbidden(['user'], `may not be ${app.user}`, 'allowedUsers');
  }
  const index = app.fetch.findIndex(({ uri }) => !allowsUri(policy, uri));
  if (index >= 0) return forbidden(['fetch', index, 'uri'], 'may not be fetched', 'allowedUris');
  return undefined;
}

function forbidden(path: FieldError['path'], error: string, key: string): FieldError {
  return { path, error: `${error}: the scheduler's policy (--policy) has no ${key} for it` };
}
