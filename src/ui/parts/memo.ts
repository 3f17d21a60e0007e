import { Component, type ComponentType, createElement } from 'preact';

/** Draws a component again only if its properties differ. */
export function memo<P extends object>(
  view: (props: P) => unknown,
  areEqual: (a: P, b: P) => boolean,
): ComponentType<P> {
  const Inner = view as ComponentType<P>;
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !areEqual(this.props, next);
    }

    override render() {
      return createElement(Inner, this.props);
    }
  };
}
