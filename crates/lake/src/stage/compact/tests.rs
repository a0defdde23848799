//! Which files are chosen.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

/// A file of so many rows, of one byte each.
fn small(path: &str, rows: u64) -> Small {
    let file = FileRef {
        path: path.into(),
        size: rows,
        rows,
        partition_values: BTreeMap::new(),
        statistics: None,
    };
    Small {
        file,
        dropped: Positions::default(),
    }
}

const MANY: Bounds = Bounds {
    bytes_max: u64::MAX,
    files_max: usize::MAX,
};

/// The rows of the files that are written together, and of those left.
fn chosen(rows: &[u64], bounds: Bounds) -> (Vec<Vec<u64>>, Vec<u64>) {
    let files = rows.iter().enumerate();
    let files = files.map(|(at, rows)| small(&format!("{at:03}"), *rows));
    let choice = choose(files.collect(), bounds);
    let rows = |files: &[Small]| files.iter().map(Small::rows).collect::<Vec<_>>();
    let groups = choice.groups.iter().map(|group| rows(group));
    (groups.collect(), rows(&choice.left))
}

#[test]
fn enough_of_one_tier_are_written_together_with_all_below() {
    let none: Vec<Vec<u64>> = Vec::new();
    assert_eq!(chosen(&[1000; 7], MANY), (none.clone(), vec![1000; 7]));
    assert_eq!(chosen(&[1000; 8], MANY), (vec![vec![1000; 8]], vec![]));
    // Seven of a tier, and below them what makes one more; a larger one is left in peace.
    let mixed = [vec![100, 70_000], vec![8000; 7], vec![1000; 4]].concat();
    let together = [vec![8000; 7], vec![1000; 4], vec![100]].concat();
    assert_eq!(chosen(&mixed, MANY), (vec![together], vec![70_000]));
    // Below them is too little to count.
    let mixed = [vec![8000; 7], vec![1000; 4], vec![10]].concat();
    assert_eq!(chosen(&mixed, MANY).0, none);
    // The lower tier has enough, the higher has not.
    let mixed = [vec![70_000; 3], vec![600; 8]].concat();
    assert_eq!(chosen(&mixed, MANY), (vec![vec![600; 8]], vec![70_000; 3]));
}

#[test]
fn partitions_stay_apart_and_rows_that_go_count_no_more() {
    let of = |place: &str, at: usize| {
        let mut file = small(&format!("{place}{at}"), 10);
        let value = ("place".to_owned(), Some(place.to_owned()));
        file.file.partition_values = BTreeMap::from([value]);
        file
    };
    let files: Vec<Small> = (0..7).flat_map(|at| [of("a", at), of("b", at)]).collect();
    assert!(choose(files, MANY).groups.is_empty());
    let files = (0..8).flat_map(|at| [of("a", at), of("b", at)]).collect();
    let groups = choose(files, MANY).groups;
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8]);

    let mut shrunk = small("x", 10);
    for position in 0..4 {
        shrunk.dropped.insert(position);
    }
    let mut files: Vec<Small> = (0..7).map(|at| small(&at.to_string(), 10)).collect();
    files.push(shrunk);
    assert!(
        choose(files, MANY).groups.is_empty(),
        "it is of a lower tier"
    );
}

#[test]
fn a_run_takes_in_so_much_and_the_next_goes_on() {
    let bounds = Bounds {
        bytes_max: 1000,
        files_max: 9,
    };
    assert!(bounds.is_small(&small("a", 124).file) && !bounds.is_small(&small("b", 125).file));
    let (groups, left) = chosen(&[100; 12], bounds);
    assert_eq!((groups, left.len()), (vec![vec![100; 9]], 3), "files");
    let (groups, left) = chosen(&[124; 12], bounds);
    assert_eq!((groups, left.len()), (vec![vec![124; 8]], 4), "bytes");
    let tight = Bounds {
        files_max: 7,
        ..bounds
    };
    assert_eq!(chosen(&[100; 12], tight).0, Vec::<Vec<u64>>::new());
    let of_run = Bounds::of_run(1, 8 << 20);
    assert_eq!(
        of_run.bytes_max,
        8 << 20,
        "what is held is bounded by the run"
    );
    let of_run = Bounds::of_run(1000, usize::MAX);
    assert_eq!((of_run.bytes_max, of_run.files_max), (BYTES_A_RUN, 2000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever comes, a row is written again at most once a tier, and few files stay.
    #[test]
    fn work_and_files_grow_by_the_logarithm(batches in prop::collection::vec(1..3000_u64, 1..400)) {
        // By path: how many rows, and how often the one of them that was written most often.
        let mut files: BTreeMap<String, (u64, u32)> = BTreeMap::new();
        let all: u64 = batches.iter().sum();
        for (number, rows) in batches.into_iter().enumerate() {
            let there = files.iter().map(|(path, (rows, _))| small(path, *rows)).collect();
            for (at, group) in choose(there, MANY).groups.into_iter().enumerate() {
                let gone = group.iter().map(|it| files.remove(it.file.path.as_ref()).unwrap());
                let gone: Vec<_> = gone.collect();
                let rows: u64 = gone.iter().map(|(rows, _)| rows).sum();
                let times = 1 + gone.iter().map(|(_, times)| *times).max().unwrap();
                prop_assert!(gone.iter().all(|(before, _)| tier(*before) < tier(rows)));
                prop_assert!(times <= tier(rows), "{times} times for {rows} rows");
                files.insert(format!("{number:04}-{at}"), (rows, times));
            }
            files.insert(format!("{number:04}-new"), (rows, 0));
            let mut by_tier: BTreeMap<u32, u64> = BTreeMap::new();
            for (rows, _) in files.values() {
                *by_tier.entry(tier(*rows)).or_default() += 1;
            }
            // The newest has just come: the next run finds it.
            prop_assert!(by_tier.values().all(|count| *count <= FACTOR), "{by_tier:?}");
        }
        prop_assert_eq!(files.values().map(|(rows, _)| rows).sum::<u64>(), all);
    }
}

#[test]
fn a_run_of_many_partitions_keeps_up() {
    const PLACES: usize = 400;
    let mut files: Vec<Small> = Vec::new();
    for run in 0..100 {
        let choice = choose(files, Bounds::of_run(PLACES, 128 << 20));
        let together = choice.groups.into_iter().enumerate().map(|(at, group)| {
            let mut file = small(
                &format!("{run:03}-{at}"),
                group.iter().map(Small::rows).sum(),
            );
            file.file.partition_values = group[0].file.partition_values.clone();
            file
        });
        files = choice.left.into_iter().chain(together).collect();
        files.extend((0..PLACES).map(|place| {
            let mut file = small(&format!("{run:03}-new"), 1);
            let value = ("place".to_owned(), Some(place.to_string()));
            file.file.partition_values = BTreeMap::from([value]);
            file
        }));
    }
    let mut by_place: BTreeMap<_, usize> = BTreeMap::new();
    for file in &files {
        let values = file.file.partition_values.clone();
        *by_place.entry(values).or_default() += 1;
    }
    let most = by_place.values().max().copied();
    assert!(
        most <= Some(16),
        "of a hundred that came to each place: {most:?}"
    );
}
