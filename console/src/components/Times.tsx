// Times on a page: short where one scans, whole on hover and for a screen reader.
import { ago, fullTime, span, until } from "../format/times";
import { useNow } from "./use-now";

export function Ago({ time }: { time: string }) {
  const now = useNow();
  return (
    <time className="figures" dateTime={time} title={fullTime(time)}>
      {ago(time, now)}
    </time>
  );
}

export function Until({ time }: { time: string }) {
  const now = useNow();
  return (
    <time className="figures" dateTime={time} title={fullTime(time)}>
      {until(time, now)}
    </time>
  );
}

export function Took({ from, to }: { from: string | null; to: string | null }) {
  if (from === null) return <span className="figures">–</span>;
  if (to === null) return <Elapsed from={from} />;
  return <span className="figures">{span(Date.parse(to) - Date.parse(from))}</span>;
}

function Elapsed({ from }: { from: string }) {
  const now = useNow();
  return <span className="figures">{span(now - Date.parse(from))}</span>;
}
