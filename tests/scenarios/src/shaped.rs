//! Scenes on an installation of QAD with names of its own.

use tieout_domain::ports::Clock as _;
use tieout_sandbox::clock::Clock;
use tieout_sandbox::expensify::world::World;
use tieout_sandbox::month::{self, Size};
use tieout_sandbox::qad::{QadConfig, QadShape, QadStandIn};

use crate::{SEED, Scene, shapes};

impl Scene {
    /// A certified scene whose stand-in QAD has this shape, and whose profile says so.
    pub async fn shaped(shape: QadShape, size: Size, change: impl FnOnce(&mut World)) -> Self {
        let mut scene = Self::uncertified(size, change).await;
        let profile = scene.file("profile.toml");
        let text = std::fs::read_to_string(&profile).expect("the profile");
        std::fs::write(&profile, shapes::profile_of(&shape, &text)).expect("the profile");

        let clock = scene.installation().await.clock;
        let plain = scene.stand_ins.qad.url();
        let config = QadConfig {
            shape,
            world: month::month(SEED, size).qad,
            clock: Clock::from_fn(move || clock.now()),
            ..QadConfig::default()
        };
        scene.stand_ins.qad = QadStandIn::start(config).await.expect("the stand-in starts");
        let shaped = scene.stand_ins.qad.url();
        scene.reconfigure(|text| text.replace(&plain, &shaped));
        scene.certify().await;
        scene
    }
}
