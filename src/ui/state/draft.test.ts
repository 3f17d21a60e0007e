import { expect, it } from 'vitest';
import { type Draft, draftAfterSignIn, draftFor } from './draft.ts';

const draft: Draft = { user: 'olga', place: '/ui/edit/a', text: '{', base: { id: '/a' }, version: 'v1' };

it('is offered to its user only, where it was typed', () => {
  expect(draftFor(draft, 'olga', '/ui/edit/a')).toBe(draft);
  expect(draftFor(draft, 'vera', '/ui/edit/a')).toBeUndefined();
  expect(draftFor(draft, 'olga', '/ui/edit/b')).toBeUndefined();
  expect(draftFor(undefined, 'olga', '/ui/edit/a')).toBeUndefined();
});

it('is forgotten as soon as somebody else signs in', () => {
  expect(draftAfterSignIn(draft, 'olga')).toBe(draft);
  expect(draftAfterSignIn(draft, 'vera')).toBeUndefined();
});
