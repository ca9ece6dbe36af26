// Following obeys the reader: scrolling up stops it at once, reaching the end
// resumes it, and nothing else moves the scroll.

export interface FollowState {
  following: boolean;
  /** The newest line when following stopped; what came after is "new". */
  leftAt: number;
}

export interface ScrollView {
  scrollTop: number;
  scrollHeight: number;
  clientHeight: number;
}

// Fractions of pixels keep a scroll from ever being exactly at the end.
const END_PX = 6;

export function atEnd({ scrollTop, scrollHeight, clientHeight }: ScrollView): boolean {
  return scrollHeight - scrollTop - clientHeight <= END_PX;
}

/**
 * What a scroll by the reader means. `before` is where the scroll stood; `last` tells
 * whether the end of the view is that of the log.
 */
export function afterScroll(
  state: FollowState,
  before: number,
  view: ScrollView,
  newest: number,
  last: boolean,
): FollowState {
  if (atEnd(view)) {
    return state.following || !last ? state : { following: true, leftAt: newest };
  }
  if (state.following && view.scrollTop < before) return { following: false, leftAt: newest };
  return state;
}

export function newLines({ following, leftAt }: FollowState, newest: number): number {
  return following ? 0 : Math.max(0, newest - leftAt);
}
