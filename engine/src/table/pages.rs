//! How is a long list kept so that a snapshot of it is cheap and later writes do not disturb it? In shared pages.

use std::sync::Arc;

/// Entries of a page: a write copies at most one page that a snapshot holds, a snapshot counts one page for so many entries.
const PAGE: usize = 128;

/// A list whose clones share their pages. Reading an entry takes two steps, however long it is.
#[derive(Debug, Clone)]
pub(super) struct Pages<T> {
    pages: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Vec::new() }
    }
}

impl<T: Clone> Pages<T> {
    pub(super) fn len(&self) -> usize {
        self.pages.last().map_or(0, |last| (self.pages.len() - 1) * PAGE + last.len())
    }

    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.pages.get(index / PAGE)?.get(index % PAGE)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        Arc::make_mut(self.pages.get_mut(index / PAGE)?).get_mut(index % PAGE)
    }

    pub(super) fn push(&mut self, entry: T) {
        match self.pages.last_mut().filter(|last| last.len() < PAGE) {
            Some(last) => Arc::make_mut(last).push(entry),
            None => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(entry);
                self.pages.push(Arc::new(page));
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flat_map(|page| page.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Pages};

    #[test]
    fn a_clone_stays_as_it_was() {
        let mut pages = Pages::default();
        (0..3 * PAGE + 7).for_each(|entry| pages.push(entry));
        let before = pages.clone();
        pages.push(0);
        for index in [0, PAGE, 3 * PAGE + 6] {
            *pages.get_mut(index).unwrap() = 1_000;
        }
        assert!(before.iter().copied().eq(0..3 * PAGE + 7));
        assert_eq!((before.len(), pages.len()), (3 * PAGE + 7, 3 * PAGE + 8));
        assert_eq!((before.get(PAGE), pages.get(PAGE)), (Some(&PAGE), Some(&1_000)));
        assert_eq!((pages.get(PAGE + 1), pages.get(3 * PAGE + 8)), (Some(&(PAGE + 1)), None));
        assert_eq!(Pages::<u8>::default().len(), 0);
    }
}
