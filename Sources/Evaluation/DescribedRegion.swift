import Pictures
import RetinalMatching

/// The part of a picture that features describe, [height, width]: the field of view without its rim, and the whole
/// picture where less than a hundredth of it is a field of view, so that every picture has features.
func describedRegion(of picture: Picture) -> [Bool] { describedRegion(fieldOfView(of: picture)) }

func describedRegion(_ inside: [Bool]) -> [Bool] {
    inside.count { $0 } * 100 >= inside.count ? inside : inside.map { _ in true }
}
