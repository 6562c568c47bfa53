//! Figures: measurements, round by round, and their evaluation.

use std::collections::BTreeMap;

/// The meaning of a figure.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Metric {
    /// Processor seconds for 10⁹ bytes of payload.
    CpuPerGb,
    /// Processor microseconds for each message, round trip or session.
    CpuEach,
    /// Payload by the clock, in 10⁶ bytes a second.
    Rate,
    /// Microseconds that half of the round trips don't exceed.
    Median,
    /// Microseconds that 99 in 100 don't.
    Tail,
    /// The number a second by the clock.
    PerSecond,
    /// Processor microseconds for the end of each session.
    CpuEnd,
}

impl Metric {
    pub(crate) const ALL: [Self; 7] = [
        Self::CpuPerGb,
        Self::CpuEach,
        Self::CpuEnd,
        Self::Median,
        Self::Tail,
        Self::Rate,
        Self::PerSecond,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CpuPerGb => "CPU s/GB",
            Self::CpuEach => "CPU µs each",
            Self::Rate => "MB/s",
            Self::Median => "p50 µs",
            Self::Tail => "p99 µs",
            Self::PerSecond => "per second",
            Self::CpuEnd => "CPU µs to end one",
        }
    }
}

/// The figures of one measurement: one round of one subject.
pub(crate) type Sample = Vec<(Metric, f64)>;

/// Every figure of every round, by what was done, by whom and by metric.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<(String, String, Metric), Rounds>);

/// The measurement of each round; not every subject takes part in all of them.
type Rounds = BTreeMap<usize, f64>;

/// A number with the least and the most that it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Figures {
    pub(crate) fn add(&mut self, workload: &str, subject: &str, round: usize, sample: Sample) {
        for (metric, value) in sample {
            self.0
                .entry((workload.to_owned(), subject.to_owned(), metric))
                .or_default()
                .insert(round, value);
        }
    }

    /// Forgets one that has failed: half of its rounds are no figure.
    pub(crate) fn forget(&mut self, workload: &str, subject: &str) {
        self.0.retain(|(of, by, _), _| (of.as_str(), by.as_str()) != (workload, subject));
    }

    pub(crate) fn of(&self, workload: &str, subject: &str, metric: Metric) -> Option<Spread> {
        let rounds = self.rounds(workload, subject, metric)?;
        Spread::of(&rounds.values().copied().collect::<Vec<_>>())
    }

    /// The ratio of one to another, from the ratios of each round: a load that slows a machine down for a while slows
    /// both.
    pub(crate) fn ratio(
        &self,
        workload: &str,
        subject: &str,
        to: &str,
        metric: Metric,
    ) -> Option<Spread> {
        let ours = self.rounds(workload, subject, metric)?;
        let theirs = self.rounds(workload, to, metric)?;
        let of = |(round, one): (&usize, &f64)| {
            theirs.get(round).filter(|by| **by > 0.0).map(|by| one / by)
        };
        Spread::of(&ours.iter().filter_map(of).collect::<Vec<_>>())
    }

    /// All of them, for programs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, Metric, Vec<f64>)> {
        self.0.iter().map(|((workload, subject, metric), rounds)| {
            (workload.as_str(), subject.as_str(), *metric, rounds.values().copied().collect())
        })
    }

    fn rounds(&self, workload: &str, subject: &str, metric: Metric) -> Option<&Rounds> {
        self.0.get(&(workload.to_owned(), subject.to_owned(), metric))
    }
}

impl Spread {
    /// Of any values; `None` without any.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[half]
        } else {
            (sorted[half - 1] + sorted[half]) / 2.0
        };
        Some(Self { median, least, most })
    }

    /// `1.02 (0.98–1.10)`
    pub(crate) fn shown(self) -> String {
        format!("{} ({}–{})", number(self.median), number(self.least), number(self.most))
    }
}

/// Three digits that mean something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(
            Spread::of(&[3.0, 1.0, 2.0]),
            Some(Spread { median: 2.0, least: 1.0, most: 3.0 })
        );
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn ratios_are_made_round_by_round() {
        let mut figures = Figures::default();
        // The second round was in a bad moment for both.
        for (round, (ours, theirs)) in
            [(2.0, 1.0), (20.0, 10.0), (3.0, 1.0)].into_iter().enumerate()
        {
            figures.add("bulk", "ours", round, vec![(Metric::CpuPerGb, ours)]);
            figures.add("bulk", "theirs", round, vec![(Metric::CpuPerGb, theirs)]);
        }
        // In this one there was no other subject to compare with.
        figures.add("bulk", "ours", 3, vec![(Metric::CpuPerGb, 100.0)]);
        let ratio = figures.ratio("bulk", "ours", "theirs", Metric::CpuPerGb).unwrap();
        assert_eq!((ratio.median, ratio.least, ratio.most), (2.0, 2.0, 3.0));
        assert_eq!(figures.ratio("bulk", "ours", "nobody", Metric::CpuPerGb), None);
        figures.forget("bulk", "theirs");
        assert_eq!(figures.of("bulk", "theirs", Metric::CpuPerGb), None);
    }

    #[test]
    fn numbers_have_three_digits() {
        let shown = [1234.0, 99.44, 1.234, 0.0123, 0.0].map(number);
        assert_eq!(shown, ["1234", "99.4", "1.23", "0.012", "0.00"]);
    }
}
