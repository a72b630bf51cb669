//! How do triples become shapes? Reads a shapes graph and refuses what cannot be checked.

use std::collections::HashMap;

use oxrdf::{Graph, NamedNodeRef, Term, TermRef};

use super::ShapesError;
use super::classes::Classes;
use super::parameter::Place;
use super::path::Path;
use super::report::Severity;
use super::shape::{Bound, Constraint, NodeKind, Qualified, Shape, ShapeId, Target};
use crate::vocabulary::{rdfs, sh};

/// Shapes inside shapes, at most: checking one looks into the next, and the limit keeps that off the stack's end.
const DEPTH_LIMIT: usize = 64;

/// A predicate that makes its subject a shape.
const PARAMETERS: &[NamedNodeRef<'static>] = &[
    sh::TARGET_CLASS,
    sh::TARGET_NODE,
    sh::TARGET_SUBJECTS_OF,
    sh::TARGET_OBJECTS_OF,
    sh::PATH,
    sh::CLASS,
    sh::DATATYPE,
    sh::NODE_KIND,
    sh::MIN_COUNT,
    sh::MAX_COUNT,
    sh::MIN_EXCLUSIVE,
    sh::MIN_INCLUSIVE,
    sh::MAX_EXCLUSIVE,
    sh::MAX_INCLUSIVE,
    sh::MIN_LENGTH,
    sh::MAX_LENGTH,
    sh::PATTERN,
    sh::LANGUAGE_IN,
    sh::UNIQUE_LANG,
    sh::EQUALS,
    sh::DISJOINT,
    sh::LESS_THAN,
    sh::LESS_THAN_OR_EQUALS,
    sh::NOT,
    sh::AND,
    sh::OR,
    sh::XONE,
    sh::NODE,
    sh::PROPERTY,
    sh::QUALIFIED_VALUE_SHAPE,
    sh::CLOSED,
    sh::HAS_VALUE,
    sh::IN,
];

/// Reads every shape of the graph.
pub(super) fn read(graph: &Graph) -> Result<Vec<Shape>, ShapesError> {
    let classes = Classes::default();
    let mut reader = Reader { graph, classes: &classes, ids: HashMap::new(), queue: Vec::new() };
    let typed = [sh::NODE_SHAPE, sh::PROPERTY_SHAPE];
    let typed = typed.into_iter().flat_map(|class| classes.instances(graph, class));
    let used = PARAMETERS.iter().flat_map(|parameter| graph.triples_for_predicate(*parameter));
    let roots: Vec<TermRef<'_>> = typed.chain(used.map(|triple| triple.subject.into())).collect();
    for root in roots {
        reader.id(root);
    }
    let mut shapes = Vec::new();
    while let Some(&node) = reader.queue.get(shapes.len()) {
        shapes.push(reader.shape(node)?);
    }
    let mut heights = vec![Height::Unknown; shapes.len()];
    for id in 0..shapes.len() {
        measure(&shapes, &mut heights, ShapeId(id), DEPTH_LIMIT)?;
    }
    Ok(shapes)
}

struct Reader<'g> {
    graph: &'g Graph,
    classes: &'g Classes,
    ids: HashMap<TermRef<'g>, ShapeId>,
    /// Shapes by id, read or still to be read.
    queue: Vec<TermRef<'g>>,
}

impl<'g> Reader<'g> {
    fn id(&mut self, node: TermRef<'g>) -> ShapeId {
        *self.ids.entry(node).or_insert_with(|| {
            self.queue.push(node);
            ShapeId(self.queue.len() - 1)
        })
    }

    fn ids(&mut self, nodes: Vec<TermRef<'g>>) -> Vec<ShapeId> {
        nodes.into_iter().map(|node| self.id(node)).collect()
    }

    fn shape(&mut self, node: TermRef<'g>) -> Result<Shape, ShapesError> {
        let at = Place::new(self.graph, node)?;
        let path = at.single(sh::PATH)?.map(|path| Path::read(self.graph, path)).transpose()?;
        let severity = at.single(sh::SEVERITY)?.map(|value| at.iri(sh::SEVERITY, value)).transpose()?;
        Ok(Shape {
            name: node.into_owned(),
            path,
            targets: self.targets(&at)?,
            constraints: self.constraints(&at)?,
            is_deactivated: at.flag(sh::DEACTIVATED)?,
            severity: severity.map_or(Severity::Violation, |severity| Severity::named(severity.as_ref())),
            message: at.message(),
        })
    }

    fn targets(&self, at: &Place<'g>) -> Result<Vec<Target>, ShapesError> {
        let mut targets: Vec<Target> =
            at.values(sh::TARGET_NODE).map(|node| Target::Node(node.into_owned())).collect();
        for value in at.values(sh::TARGET_CLASS) {
            targets.push(Target::Class(at.iri(sh::TARGET_CLASS, value)?));
        }
        for value in at.values(sh::TARGET_SUBJECTS_OF) {
            targets.push(Target::SubjectsOf(at.iri(sh::TARGET_SUBJECTS_OF, value)?));
        }
        for value in at.values(sh::TARGET_OBJECTS_OF) {
            targets.push(Target::ObjectsOf(at.iri(sh::TARGET_OBJECTS_OF, value)?));
        }
        if let TermRef::NamedNode(class) = at.node
            && self.is_class(at.node)
        {
            targets.push(Target::Class(class.into_owned()));
        }
        Ok(targets)
    }

    fn is_class(&self, node: TermRef<'g>) -> bool {
        const OWL_CLASS: NamedNodeRef<'static> =
            NamedNodeRef::new_unchecked("http://www.w3.org/2002/07/owl#Class");
        [rdfs::CLASS, OWL_CLASS].into_iter().any(|class| self.classes.is_instance(self.graph, node, class))
    }

    fn constraints(&mut self, at: &Place<'g>) -> Result<Vec<Constraint>, ShapesError> {
        let mut found = Vec::new();
        // cheap ones first: a shape that is only asked yes or no stops at the first that fails
        at.each(sh::NODE_KIND, &mut found, |value| {
            let kind = NodeKind::named(at.iri(sh::NODE_KIND, value)?.as_ref());
            kind.map(Constraint::NodeKind)
                .ok_or_else(|| at.error(sh::NODE_KIND, "one of the six kinds that SHACL has"))
        })?;
        at.each_iri(sh::DATATYPE, &mut found, Constraint::Datatype)?;
        at.each_iri(sh::CLASS, &mut found, Constraint::Class)?;
        at.each_count(sh::MIN_COUNT, &mut found, Constraint::MinCount)?;
        at.each_count(sh::MAX_COUNT, &mut found, Constraint::MaxCount)?;
        at.each_count(sh::MIN_LENGTH, &mut found, Constraint::MinLength)?;
        at.each_count(sh::MAX_LENGTH, &mut found, Constraint::MaxLength)?;
        for (parameter, bound) in [
            (sh::MIN_EXCLUSIVE, Bound::Above),
            (sh::MIN_INCLUSIVE, Bound::AtLeast),
            (sh::MAX_EXCLUSIVE, Bound::Below),
            (sh::MAX_INCLUSIVE, Bound::AtMost),
        ] {
            at.each(parameter, &mut found, |value| {
                Ok(Constraint::Bound(bound, at.literal(parameter, value)?))
            })?;
        }
        at.each(sh::HAS_VALUE, &mut found, |value| Ok(Constraint::HasValue(value.into_owned())))?;
        at.each(sh::IN, &mut found, |list| {
            Ok(Constraint::In(at.list(sh::IN, list)?.into_iter().map(TermRef::into_owned).collect()))
        })?;
        at.each(sh::PATTERN, &mut found, |value| Ok(Constraint::Pattern(at.pattern(value)?)))?;
        at.each(sh::LANGUAGE_IN, &mut found, |list| {
            let languages = at.list(sh::LANGUAGE_IN, list)?.into_iter();
            let languages = languages.map(|tag| Ok(at.literal(sh::LANGUAGE_IN, tag)?.value().to_owned()));
            Ok(Constraint::LanguageIn(languages.collect::<Result<_, ShapesError>>()?))
        })?;
        if at.flag(sh::UNIQUE_LANG)? {
            found.push(Constraint::UniqueLang);
        }
        at.each_iri(sh::EQUALS, &mut found, Constraint::Equals)?;
        at.each_iri(sh::DISJOINT, &mut found, Constraint::Disjoint)?;
        at.each_iri(sh::LESS_THAN, &mut found, Constraint::LessThan)?;
        at.each_iri(sh::LESS_THAN_OR_EQUALS, &mut found, Constraint::LessThanOrEquals)?;
        if at.flag(sh::CLOSED)? {
            found.push(Constraint::Closed(at.known_properties()?));
        }
        self.shape_constraints(at, &mut found)?;
        Ok(found)
    }

    /// Constraints that look into other shapes.
    fn shape_constraints(&mut self, at: &Place<'g>, found: &mut Vec<Constraint>) -> Result<(), ShapesError> {
        at.each(sh::PROPERTY, found, |shape| Ok(Constraint::Property(self.id(shape))))?;
        at.each(sh::NODE, found, |shape| Ok(Constraint::Node(self.id(shape))))?;
        at.each(sh::NOT, found, |shape| Ok(Constraint::Not(self.id(shape))))?;
        at.each(sh::AND, found, |list| Ok(Constraint::And(self.ids(at.list(sh::AND, list)?))))?;
        at.each(sh::OR, found, |list| Ok(Constraint::Or(self.ids(at.list(sh::OR, list)?))))?;
        at.each(sh::XONE, found, |list| Ok(Constraint::Xone(self.ids(at.list(sh::XONE, list)?))))?;
        let [least, most] = [at.count(sh::QUALIFIED_MIN_COUNT)?, at.count(sh::QUALIFIED_MAX_COUNT)?];
        for node in at.values(sh::QUALIFIED_VALUE_SHAPE) {
            let shape = self.id(node);
            let is_disjoint = at.flag(sh::QUALIFIED_VALUE_SHAPES_DISJOINT)?;
            let siblings = if is_disjoint { self.ids(at.siblings(node)) } else { Vec::new() };
            let asked = |count| Qualified { shape, siblings: siblings.clone(), count };
            found.extend(least.map(|count| Constraint::QualifiedMin(asked(count))));
            found.extend(most.map(|count| Constraint::QualifiedMax(asked(count))));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Height {
    Unknown,
    /// On the way down to it: to come here again is to go round in a circle.
    Open,
    Known(usize),
}

/// How many shapes deep a shape looks; an error where it looks into itself, or deeper than the limit.
fn measure(
    shapes: &[Shape],
    heights: &mut [Height],
    id: ShapeId,
    depth_left: usize,
) -> Result<usize, ShapesError> {
    let shape = || Term::to_string(&shapes[id.0].name);
    match heights[id.0] {
        Height::Known(height) if height < depth_left => return Ok(height),
        Height::Known(_) => return Err(ShapesError::TooDeep { shape: shape(), limit: DEPTH_LIMIT }),
        Height::Open => return Err(ShapesError::Recursive { shape: shape() }),
        Height::Unknown => {}
    }
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Err(ShapesError::TooDeep { shape: shape(), limit: DEPTH_LIMIT });
    };
    heights[id.0] = Height::Open;
    let mut height = 0;
    for inner in shapes[id.0].constraints.iter().flat_map(Constraint::shapes) {
        height = height.max(1 + measure(shapes, heights, inner, depth_left)?);
    }
    heights[id.0] = Height::Known(height);
    Ok(height)
}
