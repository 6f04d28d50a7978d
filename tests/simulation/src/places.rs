//! Which position of the engine is which of the model: the engine's are opaque, increasing and not dense, and one event has
//! the same wherever it is read.

use std::collections::BTreeMap;

use tieout_domain::ports::Position;

/// What was seen of positions in one log.
#[derive(Debug, Default)]
pub(crate) struct Places {
    to_model: BTreeMap<Position, Position>,
    to_engine: BTreeMap<Position, Position>,
}

impl Places {
    /// An event stands here in the engine, and there in the model; says what is wrong with that.
    pub(crate) fn see(&mut self, engine: Position, model: Position) -> Option<String> {
        match (self.to_model.get(&engine), self.to_engine.get(&model)) {
            (Some(known), Some(_)) if *known == model => None,
            (None, None) => {
                let pair = |(engine, model): (&Position, &Position)| (*engine, *model);
                let before = self.to_model.range(..engine).next_back().map(pair);
                let after = self.to_model.range(engine..).next().map(pair);
                let ordered = before.is_none_or(|(_, before)| before < model)
                    && after.is_none_or(|(_, after)| after > model);
                self.to_model.insert(engine, model);
                self.to_engine.insert(model, engine);
                (!ordered).then(|| {
                    format!(
                        "{engine:?} of the engine is {model:?} of the model, between {before:?} and {after:?}"
                    )
                })
            }
            (known, other) => Some(format!(
                "{engine:?} of the engine is {model:?} of the model, and was {known:?}, which was {other:?}"
            )),
        }
    }

    /// The model's position of one of the engine's that was given to somebody.
    pub(crate) fn of(&self, engine: Option<Position>) -> Result<Option<Position>, String> {
        engine
            .map(|engine| {
                let known = self.to_model.get(&engine).copied();
                known.ok_or_else(|| format!("somebody asks for {engine:?}, which the engine never gave"))
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_one_position_and_the_order_is_the_models() {
        let mut places = Places::default();
        let at = |place| Position(place, place);
        assert_eq!(places.see(at(10), at(1)), None);
        assert_eq!(places.see(at(30), at(3)), None);
        assert_eq!(places.see(at(20), at(2)), None, "in between");
        assert_eq!(places.see(at(20), at(2)), None, "again");
        assert!(places.see(at(21), at(2)).is_some(), "the same event elsewhere");
        assert!(places.see(at(20), at(4)).is_some(), "another event there");
        assert!(places.see(at(5), at(4)).is_some(), "out of order");
        assert_eq!(places.of(Some(at(30))), Ok(Some(at(3))));
        assert_eq!(places.of(None), Ok(None));
        assert!(places.of(Some(at(7))).is_err());
    }
}
