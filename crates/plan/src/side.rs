//! The properties of a side that planning needs, so that it is written once for both.

use std::sync::Arc;

use endpoint::{Connector, DialLayer, Layered, Listener, Opened, ServeLayer};

use crate::beneath::{Beneath, Part};
use crate::kind::{self, Args, Assemble, Kind, PlanConnect, PlanListen, Planned, Role, Takes};

/// An endpoint of one side: `dyn Listener` or `dyn Connector`.
pub(crate) trait Endpoint {
    /// The layer over such an endpoint.
    type Layer: ?Sized + 'static;

    /// The side.
    const ROLE: Role;

    /// Returns the function that makes an endpoint of this side, if `kind` has it.
    fn make(kind: &Kind) -> Option<Make<Self>>;

    /// Returns the layer that `kind` is on this side, if it is one.
    fn layer(kind: &Kind) -> Option<PlanLayer<Self::Layer>>;

    /// Puts `layer` over `inner`.
    fn over(inner: Box<Self>, layer: Arc<Self::Layer>) -> Box<Self>;

    /// Returns the endpoint of this side that `part` is.
    fn of(part: Part) -> Box<Self>;

    /// The reverse of [`Endpoint::of`].
    fn part(self: Box<Self>) -> Part;

    /// Puts over `endpoint` what the parameters of every endpoint of this side ask for.
    fn guard(endpoint: Box<Self>, args: &Args) -> Planned<Box<Self>>;
}

/// Plans a layer from its parameters.
pub(crate) type PlanLayer<L> = fn(&Args) -> Planned<Arc<L>>;

/// Plans an endpoint from its parameters.
type PlanEndpoint<E> = dyn Fn(&Args) -> Planned<Assemble<E>>;

/// The function that makes an endpoint: the common form of leaves, layers and endpoints over
/// others.
pub(crate) struct Make<E: ?Sized> {
    /// The requirements on the endpoints beneath.
    pub(crate) takes: Takes,
    /// Reads the parameters.
    pub(crate) plan: Box<PlanEndpoint<E>>,
}

impl<E: Endpoint + ?Sized + 'static> Make<E> {
    fn leaf(plan: impl Fn(&Args) -> Planned<Box<E>> + 'static) -> Self {
        Self::over(move |args| {
            let endpoint = plan(args)?;
            Ok(Box::new(move |_| endpoint))
        })
    }

    fn layer(takes: Takes, plan: PlanLayer<E::Layer>) -> Self {
        let over = Self::over(move |args| {
            let layer = plan(args)?;
            Ok(Box::new(move |beneath: Beneath| E::over(E::of(beneath.only()), layer)))
        });
        Self { takes, ..over }
    }

    fn over(plan: impl Fn(&Args) -> Planned<Assemble<E>> + 'static) -> Self {
        Self { takes: Takes::Any, plan: Box::new(plan) }
    }
}

impl Endpoint for dyn Listener {
    type Layer = dyn ServeLayer;

    const ROLE: Role = Role::Listen;

    fn make(kind: &Kind) -> Option<Make<Self>> {
        Some(match kind.listen.as_ref()?.plan {
            PlanListen::Leaf(plan) => Make::leaf(plan),
            PlanListen::Layer(takes, plan) => Make::layer(takes, plan),
            PlanListen::Over(plan) => Make::over(plan),
            PlanListen::Opened(times) => {
                let Some(PlanConnect::Leaf(plan)) = kind.connect.as_ref().map(|side| side.plan)
                else {
                    unreachable!("`{}` is listened on by opening, and can't be opened", kind.name)
                };
                Make::leaf(move |args| {
                    let opened = Opened::new(plan(args)?, args.descriptor.clone(), times);
                    Ok(Box::new(opened) as Box<dyn Listener>)
                })
            }
        })
    }

    fn layer(kind: &Kind) -> Option<PlanLayer<Self::Layer>> {
        match kind.listen.as_ref()?.plan {
            PlanListen::Layer(_, plan) => Some(plan),
            _ => None,
        }
    }

    fn over(inner: Box<Self>, layer: Arc<Self::Layer>) -> Box<Self> {
        Box::new(Layered::new(inner, layer))
    }

    fn of(part: Part) -> Box<Self> {
        match part {
            Part::Listener(endpoint) => endpoint,
            _ => unreachable!("what a layer goes over was planned for its own side"),
        }
    }

    fn part(self: Box<Self>) -> Part {
        Part::Listener(self)
    }

    fn guard(endpoint: Box<Self>, args: &Args) -> Planned<Box<Self>> {
        kind::guard(endpoint, args)
    }
}

impl Endpoint for dyn Connector {
    type Layer = dyn DialLayer;

    const ROLE: Role = Role::Connect;

    fn make(kind: &Kind) -> Option<Make<Self>> {
        Some(match kind.connect.as_ref()?.plan {
            PlanConnect::Leaf(plan) => Make::leaf(plan),
            PlanConnect::Layer(takes, plan) => Make::layer(takes, plan),
            PlanConnect::Over(plan) => Make::over(plan),
        })
    }

    fn layer(kind: &Kind) -> Option<PlanLayer<Self::Layer>> {
        match kind.connect.as_ref()?.plan {
            PlanConnect::Layer(_, plan) => Some(plan),
            _ => None,
        }
    }

    fn over(inner: Box<Self>, layer: Arc<Self::Layer>) -> Box<Self> {
        Box::new(Layered::new(inner, layer))
    }

    fn of(part: Part) -> Box<Self> {
        match part {
            Part::Connector(endpoint) => endpoint,
            _ => unreachable!("what a layer goes over was planned for its own side"),
        }
    }

    fn part(self: Box<Self>) -> Part {
        Part::Connector(self)
    }

    fn guard(endpoint: Box<Self>, _: &Args) -> Planned<Box<Self>> {
        Ok(endpoint)
    }
}
